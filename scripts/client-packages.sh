# Packages of the example clients, for scripts/test-clients, which gives `clients`, `tools`, `say` and `fail`.
#
# Each package is built in the way of its language and installed into an empty place. What is installed there then
# imports a roster without TLS, and over TLS from a server whose authority is one that the system trusts.

source scripts/certificates.sh

packages=$tools/packages
ca=$packages/tls/ca.crt
plain='' # addresses of the servers
secure=''

# Starts the servers for the first package that asks, without TLS and with it.
provide_servers() {
    [[ -z $plain ]] || return 0
    command -v openssl >/dev/null || install_packages openssl
    rm -rf "$packages"
    mkdir -p "$packages"/{tls,plain,secure}
    make_certificates "$packages/tls"
    trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
    begin_server plain
    plain=$address
    begin_server secure --tls-cert "$packages/tls/tls.crt" --tls-key "$packages/tls/tls.key"
    secure=$address
}

# Starts a server, on a database with an organisation; sets `address`. Its token is in its folder.
begin_server() {
    local folder=$packages/$1 scheme=http options=(--quiet)
    shift
    local database=sqlite://$folder/users.db
    "$USER_IMPORT_BIN" --quiet token create packages --every-organization --database-url "$database" --permission \
        users.import,users.deactivate,users.grant-privileged,catalog.write,organizations.write >"$folder/token"
    # It is read before the server's process may have opened it.
    : >"$folder/serving"
    "$USER_IMPORT_BIN" serve --listen 127.0.0.1:0 --database-url "$database" "$@" >"$folder/serving" 2>"$folder/log" &
    address=
    for _ in {1..300}; do
        address=$(sed -n 's/^listening on //p' "$folder/serving")
        [[ -z $address ]] || break
        sleep 0.1
    done
    [[ -n $address ]] || fail "the server does not start: $(cat "$folder/log")"
    if (($#)); then
        scheme=https
        options+=(--ca-cert "$ca")
    fi
    options+=(--endpoint "$scheme://$address" --token-file "$folder/token")
    "$USER_IMPORT_BIN" org create packages "${options[@]}"
    "$USER_IMPORT_BIN" catalog apply examples/catalog.json --organization packages "${options[@]}"
}

# check_package COMMAND...: runs an installed program. `trust` is a command that runs another where the system trusts
# our authority.
check_package() {
    local roster=$PWD/examples/roster.csv tls="https://localhost:${secure##*:}"
    expect_end 3 'completed: 20 rows' plain "$@" --endpoint "http://$plain" csv "$roster"
    expect_end 0 'completed: 2 rows' secure "${trust[@]}" "$@" --endpoint "$tls" rows
    expect_end 0 'completed: 2 rows' secure "$@" --endpoint "$tls" --ca "$ca" rows
    # No --ca and nobody who vouches for the server.
    expect_end 5 '' secure "$@" --endpoint "$tls" --retries 0 rows
}

# expect_end CODE TEXT SERVER COMMAND...: fails unless the command ends with this code and prints this.
expect_end() {
    local code=$1 text=$2 server=$3 ended=0 log=$packages/log
    shift 3
    USER_IMPORT_ORGANIZATION=packages USER_IMPORT_TOKEN=$(<"$packages/$server/token") "$@" >"$log" 2>&1 || ended=$?
    [[ $ended == "$code" ]] && grep -q "$text" "$log" || {
        cat "$log" >&2
        fail "ended with $ended, not with $code and \"$text\": $*"
    }
}

package_python() {
    provide_servers
    local folder=$packages/python trust=(env SSL_CERT_FILE="$ca") pip=(-m pip --quiet --disable-pip-version-check)
    "$tools/python/bin/python" "${pip[@]}" wheel --no-deps --wheel-dir "$folder" "$clients/python"
    python3 -m venv "$folder/clean"
    "$folder/clean/bin/python" "${pip[@]}" install "$folder"/roster_import-*.whl
    check_package "$folder/clean/bin/roster-import"
    check_package "$folder/clean/bin/roster-import" --web
    # A library's own variable does not replace the authorities that were given.
    expect_end 0 'completed: 2 rows' secure env REQUESTS_CA_BUNDLE="$packages/tls/tls.csr" \
        "$folder/clean/bin/roster-import" --web --endpoint "https://localhost:${secure##*:}" --ca "$ca" rows
}

package_typescript() {
    provide_servers
    local folder=$packages/typescript trust=(env SSL_CERT_FILE="$ca")
    mkdir -p "$folder/clean"
    (cd "$clients/typescript" && npm pack --silent --pack-destination "$folder" >/dev/null)
    (cd "$folder/clean" && npm init --yes >/dev/null && npm install --silent --no-audit --no-fund ../roster-import-*.tgz)
    (cd "$folder/clean" && node -e 'if (!require("roster-import").importRoster) process.exit(1)')
    check_package "$folder/clean/node_modules/.bin/roster-import"
}

# Another module, which has the client's in a folder, builds the client's program.
package_go() {
    provide_servers
    local folder=$packages/go trust=(env SSL_CERT_FILE="$ca") module=example.com/rosterimport
    mkdir -p "$folder"
    cp "$clients/go/cmd/rosterimport/main.go" "$folder/"
    (
        cd "$folder"
        go mod init example.com/consumer 2>/dev/null
        go mod edit -go="$(cd "$clients/go" && go list -m -f '{{.GoVersion}}')" \
            -require="$module@v0.1.0" -replace="$module=$clients/go"
        go build -mod=mod -o roster-import .
    )
    check_package "$folder/roster-import"
}

# A repository of its own, which begins with what Maven has downloaded already.
package_java() {
    provide_servers
    local folder=$packages/java maven=(mvn --quiet --batch-mode "-Dmaven.repo.local=$packages/java/repository")
    local trust=(env JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$folder/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit")
    mkdir -p "$folder/clean/src/main/java/consumer"
    cp -al "$HOME/.m2/repository" "$folder/repository" 2>/dev/null || true
    (cd "$clients/java" && "${maven[@]}" install -DskipTests)
    write_consumer "$folder/clean"
    (cd "$folder/clean" && "${maven[@]}" compile)
    keytool -importcert -noprompt -alias authority -file "$ca" -keystore "$folder/trust.p12" -storepass changeit \
        >/dev/null 2>&1
    local classes
    classes=$(cd "$folder/clean" && "${maven[@]}" exec:exec -Dexec.executable=echo "-Dexec.args=CLASSES %classpath" |
        sed -n 's/.*CLASSES //p')
    check_package java -XX:TieredStopAtLevel=1 -cp "$classes" consumer.Consumer
}

# A project that depends on the client's artifact alone.
write_consumer() {
    cat >"$1/pom.xml" <<'END'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>consumer</groupId>
  <artifactId>consumer</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>example</groupId>
      <artifactId>roster-import</artifactId>
      <version>0.1.0</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.16.0</version>
      </plugin>
      <plugin>
        <groupId>org.codehaus.mojo</groupId>
        <artifactId>exec-maven-plugin</artifactId>
        <version>3.6.4</version>
      </plugin>
    </plugins>
  </build>
</project>
END
    cat >"$1/src/main/java/consumer/Consumer.java" <<'END'
package consumer;

import example.rosterimport.Connection;
import example.rosterimport.Importer;
import example.rosterimport.Main;
import java.time.Duration;

public final class Consumer {
  private Consumer() {}

  static Importer importer(Connection connection) {
    return new Importer(connection, Duration.ofMinutes(1), 0);
  }

  public static void main(String[] arguments) throws InterruptedException {
    Main.main(arguments);
  }
}
END
}
