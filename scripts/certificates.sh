# An authority of one's own and a server's certificate, for scripts that source this file. Needs openssl.
#
# `make_certificates FOLDER` makes FOLDER/ca.crt, tls.crt and tls.key; the certificate is for the names user-import
# and localhost and for 127.0.0.1, and good for two days.
make_certificates() {
    local folder=$1 quiet=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -x509 "${quiet[@]}" -subj /CN=authority -days 2 -keyout "$folder/ca.key" -out "$folder/ca.crt"
    openssl req "${quiet[@]}" -subj /CN=user-import -keyout "$folder/tls.key" -out "$folder/tls.csr"
    openssl x509 -req -in "$folder/tls.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -days 2 \
        -extfile <(echo 'subjectAltName=DNS:user-import,DNS:localhost,IP:127.0.0.1') -out "$folder/tls.crt"
} 2>/dev/null
