// Asks for a page through Mbed TLS.
#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "ask.h"

static mbedtls_ssl_session ticket;
static int has_ticket;

static int send_to(void *fd, const unsigned char *bytes, size_t len) { return write(*(int *)fd, bytes, len); }
static int receive_from(void *fd, unsigned char *bytes, size_t len) { return read(*(int *)fd, bytes, len); }

// A ticket of TLS 1.3 comes as what looks like an error.
static int take(mbedtls_ssl_context *ssl, char *text, int size) {
    for (;;) {
        int len = mbedtls_ssl_read(ssl, (unsigned char *)text, size);
        if (len == MBEDTLS_ERR_SSL_WANT_READ)
            continue;
        if (len != MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
            must(len >= 0 || len == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "read");
            return len;
        }
        mbedtls_ssl_session_free(&ticket);
        mbedtls_ssl_session_init(&ticket);
        has_ticket = mbedtls_ssl_get_session(ssl, &ticket) == 0;
    }
}

// Its names have other strokes, and another beginning for TLS 1.3.
static const char *iana(const char *name) {
    static char text[100];
    const char *rest = strncmp(name, "TLS1-3-", 7) ? name + 4 : name + 7;
    snprintf(text, sizeof text, "TLS_%s", rest);
    for (char *at = text; *at; at++)
        *at = *at == '-' ? '_' : *at;
    return text;
}

static void get(mbedtls_ssl_config *config, const struct ask *ask, int print) {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    must(mbedtls_ssl_setup(&ssl, config) == 0 && mbedtls_ssl_set_hostname(&ssl, ask->name) == 0, "setup");
    int resumes = has_ticket;
    must(!resumes || mbedtls_ssl_set_session(&ssl, &ticket) == 0, "session");
    int fd = dial(ask);
    mbedtls_ssl_set_bio(&ssl, &fd, send_to, receive_from, NULL);
    int ended = mbedtls_ssl_handshake(&ssl);
    if (ended != 0) {
        char why[200];
        mbedtls_strerror(ended, why, sizeof why);
        fprintf(stderr, "mbedtls_ssl_handshake: %s\n", why);
        exit(1);
    }
    if (!is_13(ask))
        has_ticket = mbedtls_ssl_get_session(&ssl, &ticket) == 0;
    char text[16384];
    must(mbedtls_ssl_write(&ssl, (unsigned char *)text, request(ask, text, sizeof text)) > 0, "write");
    int len = take(&ssl, text, sizeof text);
    if (print) {
        const char *alpn = mbedtls_ssl_get_alpn_protocol(&ssl);
        printf("version=%s\nsuite=%s\n", mbedtls_ssl_get_version(&ssl), iana(mbedtls_ssl_get_ciphersuite(&ssl)));
        const mbedtls_x509_crt *leaf = mbedtls_ssl_get_peer_cert(&ssl);
        // It does not tell group and resumption.
        printf("alpn=%s\ngroup=\nresumed=\n", alpn ? alpn : "");
        print_leaf(leaf ? leaf->raw.p : NULL, leaf ? (int)leaf->raw.len : 0);
        printf("\n");
    }
    for (; len > 0; len = take(&ssl, text, sizeof text))
        if (print)
            fwrite(text, 1, len, stdout);
    mbedtls_ssl_close_notify(&ssl);
    mbedtls_ssl_free(&ssl);
    close(fd);
}

int main(int count, char **values) {
    struct ask ask = arguments(count, values);
    mbedtls_ssl_config config;
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_session_init(&ticket);
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_x509_crt root;
    mbedtls_x509_crt_init(&root);
    must(psa_crypto_init() == PSA_SUCCESS, "psa");
    must(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) == 0, "random");
    must(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0, "defaults");
    must(mbedtls_x509_crt_parse_file(&root, ask.root) == 0, "root");
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    mbedtls_ssl_conf_ca_chain(&config, &root, NULL);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_protocol_version version = is_13(&ask) ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;
    mbedtls_ssl_conf_min_tls_version(&config, version);
    mbedtls_ssl_conf_max_tls_version(&config, version);
    mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#ifdef MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
    const char *alpn[] = {ask.alpn, NULL};
    must(mbedtls_ssl_conf_alpn_protocols(&config, alpn) == 0, "alpn");
    uint16_t groups[] = {!strcmp(ask.group, "x25519") ? 0x001d : !strcmp(ask.group, "secp256r1") ? 0x0017 : 0x11ec, 0};
    if (strcmp(ask.group, "any"))
        mbedtls_ssl_conf_groups(&config, groups);
    if (ask.resume)
        get(&config, &ask, 0);
    get(&config, &ask, 1);
    return 0;
}
