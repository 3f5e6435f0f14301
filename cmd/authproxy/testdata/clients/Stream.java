import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Java's HttpClient with a body of unknown length, which goes chunked, and "Expect: 100-continue". */
public class Stream {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(URI.create(args[0]));
        call(client, request.build());
        call(client, request.header("Content-Type", "application/json").expectContinue(true)
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> open(args[1]))).build());
    }

    static FileInputStream open(String file) {
        try {
            return new FileInputStream(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void call(HttpClient client, HttpRequest request) throws Exception {
        var answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new Exception(answer.statusCode() + " " + answer.body());
        }
        System.out.println(answer.body());
    }
}
