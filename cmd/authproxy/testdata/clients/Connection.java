import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/** HttpURLConnection, which the oldest programs use: its Accept header names images. */
public class Connection {
    public static void main(String[] args) throws Exception {
        call(args[0], null);
        call(args[0], Files.readAllBytes(Path.of(args[1])));
    }

    static void call(String url, byte[] body) throws Exception {
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        if (body != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "application/json");
            connection.getOutputStream().write(body);
        }
        if (connection.getResponseCode() != 200) {
            throw new Exception(connection.getResponseCode() + " " + new String(connection.getErrorStream().readAllBytes()));
        }
        System.out.println(new String(connection.getInputStream().readAllBytes()));
    }
}
