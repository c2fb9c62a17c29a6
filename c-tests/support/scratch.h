// Files of a test, gone when it has ended.

#ifndef C_TESTS_SUPPORT_SCRATCH_H
#define C_TESTS_SUPPORT_SCRATCH_H

#ifdef __cplusplus
extern "C" {
#endif

// A directory of this program's own: made at the first call, removed however the program ends.
const char *scratch_dir(void);

// Writes a file into it and returns its path, which stays until the program ends.
const char *scratch_file(const char *name, const char *text);

// Removes a directory with all it holds.
void remove_tree(const char *path);

#ifdef __cplusplus
}
#endif

#endif
