#include "scratch.h"

#include "test.h"

#include <ftw.h>
#include <unistd.h>

static char  dir[64];
static pid_t owner; // a fork of the program leaves the files alone

static char *paths[32];
static int   path_count;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void clean_up(void)
{
    if (owner != getpid())
        return;
    remove_tree(dir);
    while (path_count > 0)
        free(paths[--path_count]);
}

const char *scratch_dir(void)
{
    if (owner == 0)
    {
        owner = getpid();
        snprintf(dir, sizeof dir, "/tmp/nats-c-tests-XXXXXX");
        CHECK(mkdtemp(dir) != NULL);
        test_at_end(clean_up);
    }
    return dir;
}

const char *scratch_file(const char *name, const char *text)
{
    char *path;
    FILE *f;

    CHECK(path_count < (int)(sizeof paths / sizeof *paths));
    CHECK(asprintf(&path, "%s/%s", scratch_dir(), name) > 0);
    paths[path_count++] = path;
    f                   = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}
