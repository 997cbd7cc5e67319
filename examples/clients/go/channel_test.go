package rosterimport

import (
	"strings"
	"testing"
)

func TestAnEndpointHasTLSUnlessItSaysOtherwiseOrIsThisMachine(t *testing.T) {
	ca := []byte("PEM")
	for _, c := range []struct {
		endpoint string
		ca       []byte
		host     string
		isTLS    bool
	}{
		{"https://import.example:443", nil, "import.example:443", true},
		{"https://127.0.0.1:50051", ca, "127.0.0.1:50051", true},
		{"http://import.example:80", nil, "import.example:80", false},
		{"import.example:50051", nil, "import.example:50051", true},
		{"192.0.2.1:50051", nil, "192.0.2.1:50051", true},
		{"127.0.0.1.example:50051", nil, "127.0.0.1.example:50051", true},
		{"127.0.0.1:50051", nil, "127.0.0.1:50051", false},
		{"localhost:50051", nil, "localhost:50051", false},
		{"[::1]:50051", nil, "[::1]:50051", false},
		{"127.0.0.1:50051", ca, "127.0.0.1:50051", true},
	} {
		host, isTLS, err := address(c.endpoint, c.ca)
		if host != c.host || isTLS != c.isTLS || err != nil {
			t.Errorf("%s: %s, %t, %v", c.endpoint, host, isTLS, err)
		}
	}
}

func TestAnotherEndpointIsRefused(t *testing.T) {
	for _, endpoint := range []string{"", "https://", "ftp://h:1", "https://h/path", "https://u:p@h:1"} {
		_, _, err := address(endpoint, nil)
		if err == nil || !strings.Contains(err.Error(), "write it as https://HOST:PORT") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if _, _, err := address("http://127.0.0.1:1", []byte("PEM")); err == nil {
		t.Error("authorities for a connection without TLS")
	}
}
