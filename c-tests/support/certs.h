// Certificates for one test program, made with the openssl command in a fresh directory that goes away at the
// end. All keys are EC keys. Files (all PEM) in the directory:
//
//   ca.pem                    the authority that signs everything below but `selfsigned`
//   crl.pem                   its list of revoked certificates: server-revoked
//   other-ca.pem              an authority that signed nothing
//   server.pem/.key           names: localhost, test.example
//   server-ip.pem/.key        names: localhost, 127.0.0.1
//   server-wild.pem/.key      names: *.test.example, a*.part.example
//   server-expired.pem/.key   as server-ip, no longer valid
//   server-revoked.pem/.key   as server-ip, in crl.pem
//   selfsigned.pem/.key       as server-ip, signed by itself
//   client.pem/.key           for a client, user name client@test.example
//   client2.pem/.key          the same for client2@test.example

#ifndef C_TESTS_SUPPORT_CERTS_H
#define C_TESTS_SUPPORT_CERTS_H

#ifdef __cplusplus
extern "C" {
#endif

// Makes them; skips the test where there is no openssl command.
void certs_make(void);

// Full name of a file. The result is valid until the eighth call after this one.
const char *cert(const char *file);

// The content of a file, to be freed.
char *cert_text(const char *file);

// Copies one file over another.
void cert_copy(const char *from, const char *to);

// A tls block for a server's configuration with that certificate ("server-ip"), to be freed; `more` goes
// inside.
char *cert_server_config(const char *name, const char *more);

#ifdef __cplusplus
}
#endif

#endif
