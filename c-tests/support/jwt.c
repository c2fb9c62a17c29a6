#include "jwt.h"

#include "test.h"

#include <time.h>

// clang-format off
#define OPERATOR \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiIxIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3M" \
    "iOiJPRFpKNDZQTDIzTjVOVE1QUTZFMkFJT0xSNVJHSjRMWDZNR01UNk41RFU3VVJZM1lUUTdSNTQ2QyIsIm5hbWUiO" \
    "iJ0ZXN0Iiwic3ViIjoiT0RaSjQ2UEwyM041TlRNUFE2RTJBSU9MUjVSR0o0TFg2TUdNVDZONURVN1VSWTNZVFE3UjU" \
    "0NkMiLCJuYXRzIjp7InR5cGUiOiJvcGVyYXRvciIsInZlcnNpb24iOjJ9fQ.CZgzodJ2LFH5nKxZ-HdD6sUGtPZRY8" \
    "_v76gvyXkJIypnLTay9IkgUbHarUHOEDI6uI1nmVB_MNJJr3gqEVjpAw"
#define ACCOUNT \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiIyIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3M" \
    "iOiJPRFpKNDZQTDIzTjVOVE1QUTZFMkFJT0xSNVJHSjRMWDZNR01UNk41RFU3VVJZM1lUUTdSNTQ2QyIsIm5hbWUiO" \
    "iJ0ZXN0Iiwic3ViIjoiQURLSFY1R0lLTVNLS1FENVVRRk1VUERYRVBOR0s2T0dOTUo0RlRHMjJXSEtFS1JTVVRXWTZ" \
    "FTFgiLCJuYXRzIjp7ImxpbWl0cyI6eyJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpbXBvcnRzIjotM" \
    "SwiZXhwb3J0cyI6LTEsIndpbGRjYXJkcyI6dHJ1ZSwiY29ubiI6LTEsImxlYWYiOi0xfSwiZGVmYXVsdF9wZXJtaXN" \
    "zaW9ucyI6eyJwdWIiOnt9LCJzdWIiOnt9fSwidHlwZSI6ImFjY291bnQiLCJ2ZXJzaW9uIjoyfX0.Pjixv7p2Wcb2A" \
    "-EnS4KOaX6JBWKkapv1ELIxY2utHTMjobKdSqZqTm26dg2_EP8oeiIapzZZ4LRStckY3e39Dw"
// clang-format on

const char *jwt_server_config(void)
{
    return "operator: " OPERATOR "\nresolver: MEMORY\nresolver_preload { " JWT_ACCOUNT_KEY ": " ACCOUNT
           " }\n";
}

// Appends n bytes as base64url to text.
static void base64url(char *text, const unsigned char *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned          bits     = 0;
    int               count    = 0;

    text += strlen(text);
    for (size_t i = 0; i < n; i++)
    {
        bits = bits << 8 | data[i];
        for (count += 8; count >= 6; count -= 6)
            *text++ = digits[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *text++ = digits[bits << (6 - count) & 63];
    *text = '\0';
}

char *jwt_user(int seconds)
{
    char           header[] = "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}";
    char           claims[512], end[64] = "";
    char          *jwt       = calloc(1, 2048);
    unsigned char *signature = NULL;
    int            len       = 0;

    if (seconds != 0)
        snprintf(end, sizeof end, "\"exp\":%lld,", (long long)time(NULL) + seconds);
    snprintf(claims, sizeof claims,
             "{\"jti\":\"3\",\"iat\":1700000000,%s\"iss\":\"%s\",\"name\":\"user\",\"sub\":\"%s\",\"nats\":{"
             "\"pub\":{},"
             "\"sub\":{},\"subs\":-1,\"data\":-1,\"payload\":-1,\"type\":\"user\",\"version\":2}}",
             end, JWT_ACCOUNT_KEY, JWT_USER_KEY);
    base64url(jwt, (unsigned char *)header, strlen(header));
    strcat(jwt, ".");
    base64url(jwt, (unsigned char *)claims, strlen(claims));
    CHECK_OK(nats_Sign(JWT_ACCOUNT_SEED, jwt, &signature, &len));
    strcat(jwt, ".");
    base64url(jwt, signature, (size_t)len);
    free(signature);
    return jwt;
}

char *jwt_credentials(const char *jwt, const char *seed)
{
    char *text = calloc(1, 4096 + (jwt == NULL ? 0 : strlen(jwt)));

    if (jwt != NULL)
        sprintf(text, "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n", jwt);
    if (seed != NULL)
        sprintf(text + strlen(text), "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
                seed);
    return text;
}

natsStatus jwt_sign(char **error, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    (void)error;
    (void)closure;
    return nats_Sign(JWT_USER_SEED, nonce, sig, len);
}
