<?php

// Tests against `callerid serve --test`, with Twilio's client for PHP.

use PHPUnit\Framework\TestCase;
use Twilio\AuthStrategy\AuthStrategy;
use Twilio\Exceptions\RestException;
use Twilio\Http\CurlClient;
use Twilio\Http\Response;
use Twilio\Rest\Client;

// A number whose phone answers and keys the code.
const VERIFIES = '+12125550171';

// Sends requests for Twilio to the server.
class LocalClient extends CurlClient
{
    public function __construct(private string $server)
    {
        parent::__construct();
    }

    public function request(
        string $method,
        string $url,
        array $params = [],
        array $data = [],
        array $headers = [],
        ?string $user = null,
        ?string $password = null,
        ?int $timeout = null,
        ?AuthStrategy $authStrategy = null
    ): Response {
        $url = str_replace('https://api.twilio.com', $this->server, $url);
        return parent::request($method, $url, $params, $data, $headers, $user, $password, $timeout, $authStrategy);
    }
}

class CallerIdTest extends TestCase
{
    private $process;
    private array $server;
    private Client $twilio;

    // Each test has a server of its own.
    protected function setUp(): void
    {
        $ready = tempnam(sys_get_temp_dir(), 'callerid');
        $program = getenv('CALLERID_PROGRAM') ?: 'callerid';
        $options = ['--test', '--ephemeral', '--listen', '127.0.0.1:0', '--log', 'warn', '--ready-file', $ready];
        $output = [1 => ['file', '/dev/null', 'w'], 2 => STDERR];
        $this->process = proc_open([$program, 'serve', ...$options], $output, $pipes);
        while (!($line = file_get_contents($ready))) {
            $this->assertTrue(proc_get_status($this->process)['running'], 'the server did not start');
            usleep(10_000);
        }
        unlink($ready);
        $this->server = json_decode($line, true);
        ['url' => $url, 'account_sid' => $sid, 'auth_token' => $token] = $this->server;
        $this->twilio = new Client($sid, $token, httpClient: new LocalClient($url));
    }

    protected function tearDown(): void
    {
        proc_terminate($this->process);
        proc_close($this->process);
    }

    // Sends a request of the test control, and returns the response.
    private function control(string $method, string $path, ?array $document = null): array
    {
        ['url' => $url, 'account_sid' => $sid, 'auth_token' => $token] = $this->server;
        $request = curl_init("$url/_callerid/$path");
        curl_setopt_array($request, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_USERPWD => "$sid:$token",
            CURLOPT_POSTFIELDS => $document ? json_encode($document) : '',
            CURLOPT_RETURNTRANSFER => true,
        ]);
        $response = curl_exec($request);
        $this->assertSame(200, curl_getinfo($request, CURLINFO_RESPONSE_CODE), $response);
        return json_decode($response, true);
    }

    private function create()
    {
        return $this->twilio->validationRequests->create(VERIFIES);
    }

    public function testANumberIsValidated(): void
    {
        $request = $this->create();
        $this->assertMatchesRegularExpression('/^\d{6}$/', $request->validationCode);
        [$call] = $this->control('GET', 'calls?status=completed&wait=10')['calls'];
        $this->assertSame($request->callSid, $call['call_sid']);
        $this->assertSame('success', $call['verification_status']);
        $callerIds = $this->twilio->outgoingCallerIds->read();
        $this->assertSame([VERIFIES], array_map(fn ($callerId) => $callerId->phoneNumber, $callerIds));
    }

    public function testTheServiceIsDownTwiceThenWorks(): void
    {
        $this->control('POST', 'faults', ['times' => 2, 'then' => ['status' => 503]]);
        foreach ([1, 2] as $attempt) {
            try {
                $this->create();
                $this->fail("attempt $attempt was answered");
            } catch (RestException $error) {
                $this->assertSame(503, $error->getStatusCode());
            }
        }
        $this->create();
    }
}
