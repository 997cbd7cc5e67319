package example.rosterimport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which endpoints have TLS. */
class EndpointTest {
  @ParameterizedTest
  @CsvSource({
    "https://import.example:443, false, import.example:443, true",
    "https://127.0.0.1:50051, true, 127.0.0.1:50051, true",
    "http://import.example:80, false, import.example:80, false",
    "import.example:50051, false, import.example:50051, true",
    "192.0.2.1:50051, false, 192.0.2.1:50051, true",
    "127.0.0.1.example:50051, false, 127.0.0.1.example:50051, true",
    "127.0.0.1:50051, false, 127.0.0.1:50051, false",
    "localhost:50051, false, localhost:50051, false",
    "[::1]:50051, false, [::1]:50051, false",
    "127.0.0.1:50051, true, 127.0.0.1:50051, true",
  })
  void anEndpointHasTlsUnlessItSaysOtherwiseOrIsThisMachine(
      String endpoint, boolean hasAuthorities, String host, boolean isTls) {
    assertEquals(new Endpoint(host, isTls), Endpoint.parse(endpoint, hasAuthorities));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "https://", "ftp://h:1", "https://h/path", "https://u:p@h:1"})
  void anotherEndpointIsRefused(String endpoint) {
    assertThrows(IllegalArgumentException.class, () -> Endpoint.parse(endpoint, false));
  }

  @Test
  void authoritiesForAConnectionWithoutTlsAreAMistake() {
    assertThrows(
        IllegalArgumentException.class, () -> Endpoint.parse("http://127.0.0.1:1", true));
  }
}
