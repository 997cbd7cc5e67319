package rosterimport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// Connect opens a connection to https://HOST:PORT, or to http://HOST:PORT without TLS. HOST:PORT alone has TLS, unless
// it is this machine and ca is nil. ca (PEM) has the authorities to trust, in place of the system's. The token, if any,
// identifies the caller; without TLS others on the network can read it.
func Connect(endpoint string, ca []byte, token string) (*grpc.ClientConn, error) {
	host, isTLS, err := address(endpoint, ca)
	if err != nil {
		return nil, err
	}
	security := insecure.NewCredentials()
	if isTLS {
		// Without a pool, the system's authorities.
		var pool *x509.CertPool
		if ca != nil {
			pool = x509.NewCertPool()
			if !pool.AppendCertsFromPEM(ca) {
				return nil, errors.New("there is no certificate in the file of authorities")
			}
		}
		security = credentials.NewTLS(&tls.Config{RootCAs: pool})
	}
	// How long gRPC itself waits between two connections; how often to import is retry.go's.
	reconnect := backoff.DefaultConfig
	reconnect.MaxDelay = 5 * time.Second
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(security),
		// A server that is gone without a word is noticed within half a minute.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: 10 * time.Second}),
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("a token has printable ASCII characters only")
	}
	if token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(token)))
	}
	return grpc.NewClient(host, options...)
}

// address returns the HOST:PORT of an endpoint, and whether it has TLS.
func address(endpoint string, ca []byte) (host string, isTLS bool, err error) {
	scheme, host, found := strings.Cut(endpoint, "://")
	if !found {
		scheme, host = "", endpoint
	}
	if (found && scheme != "http" && scheme != "https") || host == "" || strings.ContainsAny(host, "/?#@") {
		return "", false, fmt.Errorf("%s: write it as https://HOST:PORT, or http://HOST:PORT without TLS", endpoint)
	}
	if scheme == "http" && ca != nil {
		return "", false, fmt.Errorf("%s has no TLS, so there are no authorities to trust", endpoint)
	}
	return host, scheme == "https" || (scheme == "" && (ca != nil || !isThisMachine(host))), nil
}

func isThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }
