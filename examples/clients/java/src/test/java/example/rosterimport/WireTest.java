package example.rosterimport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract's golden messages, which all clients decode alike. */
class WireTest {
  private static final Path FIXTURES = Server.REPOSITORY.resolve("tests/wire");

  static Stream<Path> fixtures() throws IOException {
    try (Stream<Path> files = Files.walk(FIXTURES)) {
      return files.filter(file -> file.toString().endsWith(".binpb")).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void aGoldenMessageDecodesToItsJson(Path file) throws Exception {
    Class<?> kind = Class.forName("com.userimport.v1." + file.getParent().getFileName());
    Message kindOf = (Message) kind.getMethod("getDefaultInstance").invoke(null);
    Message message = kindOf.getParserForType().parseFrom(Files.readAllBytes(file));
    Path twin = Path.of(file.toString().replaceAll("binpb$", "json"));
    assertEquals(
        JsonParser.parseString(Files.readString(twin)),
        JsonParser.parseString(JsonFormat.printer().print(message)));
  }
}
