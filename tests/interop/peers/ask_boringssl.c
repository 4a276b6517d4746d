// Asks for a page through BoringSSL.
#include "ask.h"
#include <openssl/ssl.h>

static SSL_SESSION *ticket;

static int keep(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static SSL_CTX *context(const struct ask *ask) {
    static const uint16_t signatures[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519, SSL_SIGN_RSA_PSS_RSAE_SHA256,
                                          SSL_SIGN_RSA_PKCS1_SHA256};
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    must(SSL_CTX_load_verify_locations(context, ask->root, NULL), "root");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    int version = is_13(ask) ? TLS1_3_VERSION : TLS1_2_VERSION;
    must(SSL_CTX_set_min_proto_version(context, version) && SSL_CTX_set_max_proto_version(context, version), "version");
    must(SSL_CTX_set_verify_algorithm_prefs(context, signatures, sizeof signatures / sizeof *signatures), "signatures");
    const char *group = !strcmp(ask->group, "x25519") ? "X25519" : !strcmp(ask->group, "secp256r1") ? "P-256" : ask->group;
    must(!strcmp(group, "any") || SSL_CTX_set1_curves_list(context, group), "group");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context, keep);
    return context;
}

static void get(SSL_CTX *context, const struct ask *ask, int print) {
    SSL *ssl = SSL_new(context);
    unsigned char alpn[64];
    alpn[0] = strlen(ask->alpn);
    memcpy(alpn + 1, ask->alpn, alpn[0]);
    must(SSL_set_tlsext_host_name(ssl, ask->name) && SSL_set1_host(ssl, ask->name), "name");
    must(SSL_set_alpn_protos(ssl, alpn, alpn[0] + 1) == 0, "alpn");
    must(!ticket || SSL_set_session(ssl, ticket), "session");
    int fd = dial(ask);
    must(SSL_set_fd(ssl, fd), "socket");
    if (SSL_connect(ssl) != 1) {
        fprintf(stderr, "SSL_connect: %s\n", SSL_error_description(SSL_get_error(ssl, -1)));
        exit(1);
    }
    char text[16384];
    must(SSL_write(ssl, text, request(ask, text, sizeof text)) > 0, "write");
    int len = SSL_read(ssl, text, sizeof text);
    if (print) {
        const unsigned char *chosen;
        unsigned chosen_len;
        SSL_get0_alpn_selected(ssl, &chosen, &chosen_len);
        const char *group = SSL_get_curve_name(SSL_get_curve_id(ssl));
        printf("version=%s\nsuite=%s\n", SSL_get_version(ssl), SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)));
        printf("alpn=%.*s\ngroup=%s\n", (int)chosen_len, (const char *)chosen, group ? group : "");
        printf("resumed=%s\n", SSL_session_reused(ssl) ? "true" : "false");
        unsigned char *der = NULL;
        int der_len = i2d_X509(SSL_get_peer_certificate(ssl), &der);
        print_leaf(der, der_len);
        printf("\n");
    }
    for (; len > 0; len = SSL_read(ssl, text, sizeof text))
        if (print)
            fwrite(text, 1, len, stdout);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

int main(int count, char **values) {
    struct ask ask = arguments(count, values);
    SSL_CTX *all = context(&ask);
    if (ask.resume)
        get(all, &ask, 0);
    get(all, &ask, 1);
    return 0;
}
