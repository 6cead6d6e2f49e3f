// Tests against `callerid serve --test`, with Twilio's client for Go.
package callerid

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// A number whose phone answers and keys the code.
const verifies = "+12125550171"

// A server of the test's own.
type server struct {
	URL        string `json:"url"`
	AccountSid string `json:"account_sid"`
	AuthToken  string `json:"auth_token"`
}

func start(t *testing.T) *server {
	t.Parallel()
	program := os.Getenv("CALLERID_PROGRAM")
	if program == "" {
		program = "callerid"
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	command := exec.Command(program, "serve", "--test", "--ephemeral",
		"--listen", "127.0.0.1:0", "--log", "warn", "--ready-file", ready)
	command.Stderr = os.Stderr
	check(t, command.Start())
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		command.Wait()
	})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if line, err := os.ReadFile(ready); err == nil {
			var server server
			check(t, json.Unmarshal(line, &server))
			return &server
		}
	}
	t.Fatal("the server did not start")
	return nil
}

// RoundTrip sends a request for Twilio to the server.
func (s *server) RoundTrip(request *http.Request) (*http.Response, error) {
	local, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host, request.Host = local.Scheme, local.Host, local.Host
	return http.DefaultTransport.RoundTrip(request)
}

func (s *server) client() *twilio.RestClient {
	base := &client.Client{
		Credentials: client.NewCredentials(s.AccountSid, s.AuthToken),
		HTTPClient:  &http.Client{Transport: s},
	}
	base.SetAccountSid(s.AccountSid)
	return twilio.NewRestClientWithParams(twilio.ClientParams{Client: base})
}

// control sends a request of the test control, and reads the response.
func (s *server) control(t *testing.T, method, path, document string, response any) {
	request, err := http.NewRequest(method, s.URL+"/_callerid/"+path, strings.NewReader(document))
	check(t, err)
	request.SetBasicAuth(s.AccountSid, s.AuthToken)
	answer, err := http.DefaultClient.Do(request)
	check(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	check(t, json.NewDecoder(answer.Body).Decode(response))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(s *server) (*api.ApiV2010ValidationRequest, error) {
	params := &api.CreateValidationRequestParams{}
	return s.client().Api.CreateValidationRequest(params.SetPhoneNumber(verifies))
}

func TestANumberIsValidated(t *testing.T) {
	server := start(t)
	request, err := create(server)
	check(t, err)
	if code := *request.ValidationCode; len(code) != 6 {
		t.Fatalf("the code is %q", code)
	}
	var ended struct {
		Calls []struct {
			Status string `json:"verification_status"`
		} `json:"calls"`
	}
	server.control(t, "GET", "calls?status=completed&wait=10", "", &ended)
	if len(ended.Calls) != 1 || ended.Calls[0].Status != "success" {
		t.Fatalf("the calls are %v", ended.Calls)
	}
	callerIDs, err := server.client().Api.ListOutgoingCallerId(&api.ListOutgoingCallerIdParams{})
	check(t, err)
	if len(callerIDs) != 1 || *callerIDs[0].PhoneNumber != verifies {
		t.Fatalf("the caller IDs are %v", callerIDs)
	}
}

func TestTheServiceIsDownTwiceThenWorks(t *testing.T) {
	server := start(t)
	var fault struct{}
	server.control(t, "POST", "faults", `{"times": 2, "then": {"status": 503}}`, &fault)
	for attempt := 0; attempt < 2; attempt++ {
		_, err := create(server)
		var down *client.TwilioRestError
		if !errors.As(err, &down) || down.Status != 503 {
			t.Fatalf("expected 503, got %v", err)
		}
	}
	_, err := create(server)
	check(t, err)
}
