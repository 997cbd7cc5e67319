package example.rosterimport;

import com.google.protobuf.ByteString;
import com.userimport.v1.ImportFinish;
import com.userimport.v1.ImportUsersRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A CSV file on disk, sent as it is: the server knows about charsets and delimiters. */
public record CsvFile(Path path) implements Roster {
  // A message may have 4 MiB. Large ones keep HTTP/2 quick.
  private static final int CHUNK_BYTES = 512 * 1024;

  @Override
  public Messages open() throws IOException {
    return new Chunks(Files.newInputStream(path));
  }

  private static final class Chunks implements Messages {
    private final InputStream file;
    private final MessageDigest digest = sha256();
    private long byteCount;
    private boolean finished;

    Chunks(InputStream file) {
      this.file = file;
    }

    @Override
    public ImportUsersRequest next() throws IOException {
      if (finished) {
        return null;
      }
      byte[] chunk = file.readNBytes(CHUNK_BYTES);
      if (chunk.length == 0) {
        finished = true;
        return ImportUsersRequest.newBuilder().setFinish(totals()).build();
      }
      digest.update(chunk);
      byteCount += chunk.length;
      return ImportUsersRequest.newBuilder().setCsvChunk(ByteString.copyFrom(chunk)).build();
    }

    /** They let the server notice an upload that lost something on its way. */
    private ImportFinish totals() {
      return ImportFinish.newBuilder()
          .setByteCount(byteCount)
          .setSha256(ByteString.copyFrom(digest.digest()))
          .build();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
