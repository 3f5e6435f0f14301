import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;

/** Java's HttpClient with its defaults: it asks for HTTP/2 with "Upgrade: h2c". */
public class Client {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(URI.create(args[0]));
        call(client, request.build());
        call(client, request.header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofFile(Path.of(args[1]))).build());
    }

    static void call(HttpClient client, HttpRequest request) throws Exception {
        var answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new Exception(answer.statusCode() + " " + answer.body());
        }
        System.out.println(answer.body());
    }
}
