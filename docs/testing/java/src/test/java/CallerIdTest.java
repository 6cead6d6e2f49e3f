// Tests against `callerid serve --test`, with Twilio's client for Java.

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.twilio.http.NetworkHttpClient;
import com.twilio.http.TwilioRestClient;
import com.twilio.rest.api.v2010.account.OutgoingCallerId;
import com.twilio.rest.api.v2010.account.ValidationRequest;
import com.twilio.type.PhoneNumber;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.HttpHost;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CallerIdTest {
    /** A number whose phone answers and keys the code. */
    private static final PhoneNumber VERIFIES = new PhoneNumber("+12125550171");

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http = HttpClient.newHttpClient();
    private Process process;
    private String url;
    private String authorization;
    private TwilioRestClient twilio;

    /** Each test has a server of its own. */
    @BeforeEach
    void start(@TempDir Path folder) throws Exception {
        Path ready = folder.resolve("ready.json");
        String program = System.getenv().getOrDefault("CALLERID_PROGRAM", "callerid");
        process = new ProcessBuilder(program, "serve", "--test", "--ephemeral", "--log", "warn",
                "--listen", "127.0.0.1:0", "--ready-file", ready.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        while (!Files.exists(ready)) {
            assertTrue(process.isAlive(), "the server did not start");
            Thread.sleep(10);
        }
        JsonNode server = json.readTree(ready.toFile());
        url = server.get("url").asText();
        String sid = server.get("account_sid").asText();
        String token = server.get("auth_token").asText();
        byte[] credentials = (sid + ":" + token).getBytes();
        authorization = "Basic " + Base64.getEncoder().encodeToString(credentials);

        // Connections for Twilio go to the server, over HTTP.
        HttpRoute route = new HttpRoute(HttpHost.create(URI.create(url)));
        HttpClientBuilder connections = HttpClientBuilder.create()
                .setRoutePlanner((target, context) -> route)
                .disableAutomaticRetries();
        twilio = new TwilioRestClient.Builder(sid, token)
                .httpClient(new NetworkHttpClient(connections))
                .build();
    }

    @AfterEach
    void stop() throws Exception {
        process.destroy();
        process.waitFor();
    }

    /** Sends a request of the test control, and returns the response. */
    private JsonNode control(String method, String path, String document) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/_callerid/" + path))
                .header("Authorization", authorization)
                .method(method, BodyPublishers.ofString(document))
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), response.body());
        return json.readTree(response.body());
    }

    @Test
    void aNumberIsValidated() throws Exception {
        ValidationRequest request = ValidationRequest.creator(VERIFIES).create(twilio);
        assertTrue(request.getValidationCode().matches("\\d{6}"));
        JsonNode call = control("GET", "calls?status=completed&wait=10", "").at("/calls/0");
        assertEquals(request.getCallSid(), call.get("call_sid").asText());
        assertEquals("success", call.get("verification_status").asText());
        List<PhoneNumber> numbers = new ArrayList<>();
        OutgoingCallerId.reader().read(twilio).forEach(it -> numbers.add(it.getPhoneNumber()));
        assertEquals(List.of(VERIFIES), numbers);
    }

    /** Twilio's client itself repeats a request, twice at most, if the status is 500 to 599. */
    @Test
    void theServiceIsDownTwiceThenWorks() throws Exception {
        control("POST", "faults", "{\"times\": 2, \"then\": {\"status\": 503}}");
        ValidationRequest.creator(VERIFIES).create(twilio);
        List<Integer> statuses = new ArrayList<>();
        control("GET", "requests", "").get("requests")
                .forEach(request -> statuses.add(request.get("status").asInt()));
        assertEquals(List.of(503, 503, 200), statuses);
    }
}
