// Asks for a page through Go's crypto/tls. Arguments and output: see tests/interop/src/client/program.rs.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func ask(config *tls.Config, arg []string) (tls.ConnectionState, []byte) {
	conn := must(tls.Dial("tcp", net.JoinHostPort(arg[1], arg[2]), config))
	defer conn.Close()
	must(fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", arg[9], arg[3]))
	response := must(io.ReadAll(conn))
	return conn.ConnectionState(), response
}

func main() {
	arg := os.Args
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(arg[4])))
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[arg[5]]
	config := &tls.Config{
		RootCAs: roots, ServerName: arg[3], NextProtos: []string{arg[6]}, MinVersion: version, MaxVersion: version,
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	groups := map[string]tls.CurveID{"x25519": tls.X25519, "secp256r1": tls.CurveP256, "X25519MLKEM768": tls.X25519MLKEM768}
	if group, ok := groups[arg[8]]; ok {
		config.CurvePreferences = []tls.CurveID{group}
	}
	if len(arg) > 11 {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(arg[10], arg[11]))}
	}
	if arg[7] == "resume" {
		ask(config, arg)
	}
	state, response := ask(config, arg)
	fmt.Printf("version=%s\nsuite=%s\n", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	fmt.Printf("alpn=%s\ngroup=%s\nresumed=%t\n", state.NegotiatedProtocol, state.CurveID, state.DidResume)
	fmt.Printf("leaf=%s\n\n%s", base64.StdEncoding.EncodeToString(state.PeerCertificates[0].Raw), response)
}
