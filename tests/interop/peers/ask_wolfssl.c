// Asks for a page through wolfSSL.
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "ask.h"

static WOLFSSL_CTX *context(const struct ask *ask) {
    WOLFSSL_CTX *context = wolfSSL_CTX_new(is_13(ask) ? wolfTLSv1_3_client_method() : wolfTLSv1_2_client_method());
    must(wolfSSL_CTX_load_verify_locations(context, ask->root, NULL) == WOLFSSL_SUCCESS, "root");
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
    must(is_13(ask) || wolfSSL_CTX_UseSessionTicket(context) == WOLFSSL_SUCCESS, "tickets");
    return context;
}

static int group_of(const char *name) {
    return !strcmp(name, "x25519") ? WOLFSSL_ECC_X25519 : !strcmp(name, "secp256r1") ? WOLFSSL_ECC_SECP256R1 : WOLFSSL_X25519MLKEM768;
}

static WOLFSSL_SESSION *get(WOLFSSL_CTX *context, const struct ask *ask, WOLFSSL_SESSION *session, int print) {
    WOLFSSL *ssl = wolfSSL_new(context);
    must(wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, ask->name, strlen(ask->name)) == WOLFSSL_SUCCESS, "name");
    must(wolfSSL_check_domain_name(ssl, ask->name) == WOLFSSL_SUCCESS, "name to check");
    char alpn[64];
    int alpn_len = snprintf(alpn, sizeof alpn, "%s", ask->alpn);
    must(wolfSSL_UseALPN(ssl, alpn, alpn_len, WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS, "alpn");
    if (strcmp(ask->group, "any")) {
        int group = group_of(ask->group);
        must(is_13(ask) ? wolfSSL_set_groups(ssl, &group, 1) == WOLFSSL_SUCCESS && wolfSSL_UseKeyShare(ssl, group) == WOLFSSL_SUCCESS
                        : wolfSSL_UseSupportedCurve(ssl, group) == WOLFSSL_SUCCESS,
             "group");
    }
    must(!session || wolfSSL_set_session(ssl, session) == WOLFSSL_SUCCESS, "session");
    int fd = dial(ask);
    must(wolfSSL_set_fd(ssl, fd) == WOLFSSL_SUCCESS, "socket");
    if (wolfSSL_connect(ssl) != WOLFSSL_SUCCESS) {
        char why[WOLFSSL_MAX_ERROR_SZ];
        fprintf(stderr, "wolfSSL_connect: %s\n", wolfSSL_ERR_error_string(wolfSSL_get_error(ssl, 0), why));
        exit(1);
    }
    char text[16384];
    must(wolfSSL_write(ssl, text, request(ask, text, sizeof text)) > 0, "write");
    int len = wolfSSL_read(ssl, text, sizeof text);
    if (print) {
        char *chosen = NULL;
        unsigned short chosen_len = 0;
        wolfSSL_ALPN_GetProtocol(ssl, &chosen, &chosen_len);
        const char *group = wolfSSL_get_curve_name(ssl);
        int suite = wolfSSL_get_current_cipher_suite(ssl);
        printf("version=%s\nsuite=%s\n", wolfSSL_get_version(ssl), wolfSSL_get_cipher_name_iana_from_suite(suite >> 8, suite & 255));
        printf("alpn=%.*s\ngroup=%s\n", chosen_len, chosen, group ? group : "");
        printf("resumed=%s\n", wolfSSL_session_reused(ssl) ? "true" : "false");
        WOLFSSL_X509 *leaf = wolfSSL_get_peer_certificate(ssl);
        int der_len = 0;
        const unsigned char *der = leaf ? wolfSSL_X509_get_der(leaf, &der_len) : NULL;
        print_leaf(der, der_len);
        printf("\n");
    }
    for (; len > 0; len = wolfSSL_read(ssl, text, sizeof text))
        if (print)
            fwrite(text, 1, len, stdout);
    WOLFSSL_SESSION *kept = wolfSSL_get1_session(ssl);
    wolfSSL_shutdown(ssl);
    wolfSSL_free(ssl);
    close(fd);
    return kept;
}

int main(int count, char **values) {
    struct ask ask = arguments(count, values);
    wolfSSL_Init();
    WOLFSSL_CTX *all = context(&ask);
    get(all, &ask, ask.resume ? get(all, &ask, NULL, 0) : NULL, 1);
    return 0;
}
