// Asks for a page through NSS. The root is a database of its own kind: see tests/interop/src/client/program.rs.
#include <nspr.h>
#include <nss.h>
#include <prerror.h>
#include <prnetdb.h>
#include <ssl.h>
#include <sslproto.h>

#include "ask.h"

static void need(int holds, const char *what) {
    if (!holds)
        fprintf(stderr, "%s\n", PR_ErrorToName(PR_GetError()));
    must(holds, what);
}

static SSLNamedGroup group_of(const char *name) {
    return !strcmp(name, "x25519") ? ssl_grp_ec_curve25519 : !strcmp(name, "secp256r1") ? ssl_grp_ec_secp256r1 : ssl_grp_kem_mlkem768x25519;
}

static const char *name_of(SSLNamedGroup group) {
    switch (group) {
    case ssl_grp_ec_curve25519: return "x25519";
    case ssl_grp_ec_secp256r1: return "secp256r1";
    case ssl_grp_kem_mlkem768x25519: return "X25519MLKEM768";
    default: return "another";
    }
}

static PRFileDesc *prepare(const struct ask *ask) {
    PRFileDesc *fd = SSL_ImportFD(NULL, PR_NewTCPSocket());
    PRUint16 number = is_13(ask) ? SSL_LIBRARY_VERSION_TLS_1_3 : SSL_LIBRARY_VERSION_TLS_1_2;
    SSLVersionRange versions = {number, number};
    need(SSL_VersionRangeSet(fd, &versions) == SECSuccess, "version");
    need(SSL_OptionSet(fd, SSL_ENABLE_SESSION_TICKETS, PR_TRUE) == SECSuccess, "tickets");
    need(SSL_OptionSet(fd, SSL_ENABLE_ALPN, PR_TRUE) == SECSuccess, "alpn");
    unsigned char alpn[64];
    alpn[0] = strlen(ask->alpn);
    memcpy(alpn + 1, ask->alpn, alpn[0]);
    need(SSL_SetNextProtoNego(fd, alpn, alpn[0] + 1) == SECSuccess, "alpn");
    need(SSL_SetURL(fd, ask->name) == SECSuccess && SSL_SetSockPeerID(fd, "box") == SECSuccess, "name");
    if (strcmp(ask->group, "any")) {
        SSLNamedGroup group = group_of(ask->group);
        need(SSL_NamedGroupConfig(fd, &group, 1) == SECSuccess, "group");
    }
    return fd;
}

static void tell(PRFileDesc *fd) {
    SSLChannelInfo info;
    SSLCipherSuiteInfo suite;
    need(SSL_GetChannelInfo(fd, &info, sizeof info) == SECSuccess, "channel");
    need(SSL_GetCipherSuiteInfo(info.cipherSuite, &suite, sizeof suite) == SECSuccess, "suite");
    SSLNextProtoState state;
    unsigned char alpn[256];
    unsigned alpn_len = 0;
    need(SSL_GetNextProto(fd, &state, alpn, &alpn_len, sizeof alpn) == SECSuccess, "alpn");
    printf("version=%s\nsuite=%s\n", info.protocolVersion == SSL_LIBRARY_VERSION_TLS_1_3 ? "1.3" : "1.2", suite.cipherSuiteName);
    printf("alpn=%.*s\ngroup=%s\n", (int)alpn_len, alpn, name_of(info.keaGroup));
    printf("resumed=%s\n", info.resumed ? "true" : "false");
    CERTCertificate *leaf = SSL_PeerCertificate(fd);
    print_leaf(leaf->derCert.data, leaf->derCert.len);
    CERT_DestroyCertificate(leaf);
    printf("\n");
}

static void get(const struct ask *ask, int print) {
    PRFileDesc *fd = prepare(ask);
    PRNetAddr to;
    memset(&to, 0, sizeof to);
    need(PR_StringToNetAddr(ask->host, &to) == PR_SUCCESS, "address");
    to.inet.port = PR_htons(atoi(ask->port));
    need(PR_Connect(fd, &to, PR_SecondsToInterval(30)) == PR_SUCCESS, "connect");
    need(SSL_ResetHandshake(fd, PR_FALSE) == SECSuccess && SSL_ForceHandshake(fd) == SECSuccess, "handshake");
    char text[16384];
    int len = request(ask, text, sizeof text);
    need(PR_Send(fd, text, len, 0, PR_SecondsToInterval(30)) == len, "write");
    len = PR_Recv(fd, text, sizeof text, 0, PR_SecondsToInterval(30));
    if (print)
        tell(fd);
    for (; len > 0; len = PR_Recv(fd, text, sizeof text, 0, PR_SecondsToInterval(30)))
        if (print)
            fwrite(text, 1, len, stdout);
    PR_Close(fd);
}

int main(int count, char **values) {
    struct ask ask = arguments(count, values);
    need(NSS_Init(ask.root) == SECSuccess && NSS_SetDomesticPolicy() == SECSuccess, "database");
    if (ask.resume)
        get(&ask, 0);
    get(&ask, 1);
    return 0;
}
