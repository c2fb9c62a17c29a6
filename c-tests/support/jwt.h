// User JWTs for a server that trusts an operator. Operator and account were made once for these tests,
// without an end of their validity; user JWTs are signed as needed.

#ifndef C_TESTS_SUPPORT_JWT_H
#define C_TESTS_SUPPORT_JWT_H

#include <nats/nats.h>

#ifdef __cplusplus
extern "C" {
#endif

// Keys of the account, of its user, and of a user that nobody knows.
#define JWT_ACCOUNT_KEY  "ADKHV5GIKMSKKQD5UQFMUPDXEPNGK6OGNMJ4FTG22WHKEKRSUTWY6ELX"
#define JWT_ACCOUNT_SEED "SAAFXN4OYMV3J36ZXLCUTTORCM2M7EFH76MLS47LV3TERAVPYC2XIOF6Q4"
#define JWT_USER_KEY     "UADOECWK2NZKRDPXYCIZCRL6UWMM2MMMMCOTBJNBM4NOJVURSVGVGI64"
#define JWT_USER_SEED    "SUAEUOS4BZ6CWBB77UTDAGWAQAKI25UK7CAAZDNL2M755XUZINCW37NK2Q"
#define JWT_OTHER_KEY    "UBJEKJULK5BLR5AWUBUBG5GPZM77VN35W7CIXBKXXR6QQYQBOMXAIDPA"
#define JWT_OTHER_SEED   "SUAMWSGWG7DUDKJHAZM2GQFARK3XMTFU7VAXOT3QETUYUBUBVXESDCHIHE"

// Configuration of a server that trusts the operator; static.
const char *jwt_server_config(void);

// A JWT of the user; valid for `seconds` from now, 0: without an end. To be freed.
char *jwt_user(int seconds);

// Signature callback that signs as the user; the closure may be anything.
natsStatus jwt_sign(char **error, unsigned char **sig, int *len, const char *nonce, void *closure);

// A credentials file's text; either part may be NULL. To be freed.
char *jwt_credentials(const char *jwt, const char *seed);

#ifdef __cplusplus
}
#endif

#endif
