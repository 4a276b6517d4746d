// What the C programs have in common. Arguments and output: see tests/interop/src/client/program.rs.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct ask {
    const char *host, *port, *name, *root, *version, *alpn;
    int resume;
    const char *group, *path;
};

static struct ask arguments(int count, char **v) {
    if (count < 10) {
        fprintf(stderr, "host port name root version alpn resume group path\n");
        exit(2);
    }
    struct ask ask = {v[1], v[2], v[3], v[4], v[5], v[6], !strcmp(v[7], "resume"), v[8], v[9]};
    return ask;
}

static void must(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static int is_13(const struct ask *ask) { return !strcmp(ask->version, "1.3"); }

__attribute__((unused)) static int dial(const struct ask *ask) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(ask->port))};
    must(inet_pton(AF_INET, ask->host, &to.sin_addr) == 1, "address");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "connect");
    return fd;
}

static int request(const struct ask *ask, char *into, int size) {
    return snprintf(into, size, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", ask->path, ask->name);
}

static void print_leaf(const unsigned char *der, int len) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    printf("leaf=");
    for (int at = 0; at < len; at += 3) {
        unsigned bits = der[at] << 16 | (at + 1 < len ? der[at + 1] << 8 : 0) | (at + 2 < len ? der[at + 2] : 0);
        for (int i = 0; i < 4; i++)
            putchar(at + i > len ? '=' : letters[bits >> (18 - 6 * i) & 63]);
    }
    printf("\n");
}
