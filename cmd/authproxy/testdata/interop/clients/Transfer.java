import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Transfer URL FILE TARGET: GET URL/blob into TARGET, PUT FILE to URL/up with and without its length
 * announced, and print the answers to that. The client is as it comes: it asks for an upgrade to h2c.
 */
class Transfer {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        Path file = Path.of(args[1]);
        good(client.send(HttpRequest.newBuilder(URI.create(args[0] + "/blob")).build(), BodyHandlers.ofFile(Path.of(args[2]))));
        HttpRequest.Builder up = HttpRequest.newBuilder(URI.create(args[0] + "/up"));
        System.out.println(good(client.send(up.PUT(BodyPublishers.ofFile(file)).build(), BodyHandlers.ofString())));
        HttpRequest chunked = up.PUT(BodyPublishers.ofInputStream(() -> open(file))).build();
        System.out.println(good(client.send(chunked, BodyHandlers.ofString())));
        HttpRequest expecting = up.expectContinue(true).PUT(BodyPublishers.ofFile(file)).build();
        System.out.println(good(client.send(expecting, BodyHandlers.ofString())));
    }

    static <T> T good(HttpResponse<T> answer) {
        if (answer.statusCode() != 200) {
            throw new IllegalStateException("status " + answer.statusCode());
        }
        return answer.body();
    }

    static java.io.InputStream open(Path file) {
        try {
            return Files.newInputStream(file);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
