import java.net.CookieHandler;
import java.net.CookieManager;
import java.net.HttpURLConnection;
import java.net.URI;

/** Signs in, calls, signs out and calls again, with the cookies that CookieManager takes and sends. */
public class Cookies {
    public static void main(String[] args) throws Exception {
        CookieHandler.setDefault(new CookieManager());
        get(args[0] + "/login");
        System.out.println(get(args[0] + "/api"));
        get(args[0] + "/logout");
        System.out.println(get(args[0] + "/api"));
    }

    static String get(String url) throws Exception {
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        return new String(connection.getInputStream().readAllBytes());
    }
}
