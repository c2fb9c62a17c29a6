#include "certs.h"

#include "scratch.h"
#include "test.h"

#include <unistd.h>

static const char SCRIPT[] =
    "set -e; cd \"$1\"\n"
    "{\n"
    "key() { openssl ecparam -name prime256v1 -genkey -noout -out \"$1.key\"; }\n"
    "cat > ca.cnf <<END\n"
    "[ca]\ndefault_ca = d\n"
    "[d]\ndatabase = index.txt\nserial = serial\ncrlnumber = crlnumber\nnew_certs_dir = .\ndefault_md = "
    "sha256\n"
    "default_days = 30\ndefault_crl_days = 30\npolicy = p\nunique_subject = no\ncopy_extensions = copy\n"
    "[p]\ncommonName = supplied\norganizationName = optional\n"
    "END\n"
    ": > index.txt; echo 1000 > serial; echo 1000 > crlnumber\n"
    "authority() { key $1; openssl req -x509 -new -key $1.key -days 30 -subj \"/O=Tests/CN=$2\" -out $1.pem; "
    "}\n"
    "authority ca 'Test CA'; authority other-ca 'Other CA'\n"
    // name, subject's common name, alternative names, further arguments of openssl ca
    "sign() { n=$1 cn=$2 san=$3; shift 3; key $n\n"
    "  openssl req -new -key $n.key -subj \"/O=Tests/CN=$cn\" -addext \"subjectAltName=$san\" -out $n.csr\n"
    "  openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in $n.csr -out $n.pem -notext \"$@\"; "
    "}\n"
    "ip=DNS:localhost,IP:127.0.0.1\n"
    "sign server server DNS:localhost,DNS:test.example\n"
    "sign server-ip server-ip $ip\n"
    "sign server-wild server-wild 'DNS:*.test.example,DNS:a*.part.example'\n"
    "sign server-expired server-expired $ip -startdate 20200101000000Z -enddate 20200201000000Z\n"
    "sign server-revoked server-revoked $ip\n"
    "sign client client email:client@test.example\n"
    "sign client2 client2 email:client2@test.example\n"
    "openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -revoke server-revoked.pem\n"
    "openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -out crl.pem\n"
    "key selfsigned\n"
    "openssl req -x509 -new -key selfsigned.key -days 30 -subj /O=Tests/CN=selfsigned -addext "
    "subjectAltName=$ip"
    " -out selfsigned.pem\n"
    "} > log 2>&1\n";

static bool run_script(void)
{
    char *command = malloc(sizeof SCRIPT + 256);
    bool  done;

    snprintf(command, sizeof SCRIPT + 256, "sh -c '%s' sh '%s'", "eval \"$CERTS_SCRIPT\"", scratch_dir());
    setenv("CERTS_SCRIPT", SCRIPT, 1);
    done = system(command) == 0;
    unsetenv("CERTS_SCRIPT");
    free(command);
    return done;
}

void certs_make(void)
{
    if (system("openssl version > /dev/null 2>&1") != 0)
        SKIP("no openssl command to make certificates with");
    if (!run_script())
    {
        char *log = cert_text("log");

        FAIL("certificates cannot be made: %s", log);
    }
}

const char *cert(const char *file)
{
    static char names[8][128];
    static int  next;
    char       *name = names[next++ % 8];

    snprintf(name, sizeof names[0], "%s/%s", scratch_dir(), file);
    return name;
}

char *cert_text(const char *file)
{
    FILE *f    = fopen(cert(file), "r");
    char *text = calloc(1, 65536);

    CHECK(f != NULL);
    CHECK(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

void cert_copy(const char *from, const char *to)
{
    char *text = cert_text(from);
    FILE *f    = fopen(cert(to), "w");

    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    CHECK(fclose(f) == 0);
    free(text);
}

char *cert_server_config(const char *name, const char *more)
{
    char *config = malloc(1024 + strlen(more));

    sprintf(config,
            "tls { cert_file: \"%s/%s.pem\", key_file: \"%s/%s.key\", ca_file: \"%s/ca.pem\", timeout: 15\n "
            "%s }\n",
            scratch_dir(), name, scratch_dir(), name, scratch_dir(), more);
    return config;
}
