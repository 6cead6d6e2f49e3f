# Tests against `callerid serve --test`, with Twilio's client for Ruby.

require "json"
require "minitest/autorun"
require "net/http"
require "tmpdir"
require "twilio-ruby"

# A number whose phone answers and keys the code.
VERIFIES = "+12125550171"

# Sends requests for Twilio to the server.
class LocalClient < Twilio::HTTP::Client
  def initialize(server)
    super()
    @server = server
  end

  def request(host, port, method, url, *rest)
    super(host, port, method, url.sub("https://api.twilio.com", @server), *rest)
  end
end

class CallerIdTest < Minitest::Test
  # Each test has a server of its own.
  def setup
    Dir.mktmpdir do |folder|
      ready = File.join(folder, "ready.json")
      program = ENV.fetch("CALLERID_PROGRAM", "callerid")
      options = %w[--test --ephemeral --listen 127.0.0.1:0 --log warn --ready-file]
      @process = spawn(program, "serve", *options, ready, out: File::NULL)
      until File.exist?(ready)
        raise "the server did not start" if Process.wait(@process, Process::WNOHANG)

        sleep 0.01
      end
      server = JSON.parse(File.read(ready))
      @url = server["url"]
      @credentials = server.values_at("account_sid", "auth_token")
    end
    client = LocalClient.new(@url)
    @account = Twilio::REST::Client.new(*@credentials, nil, nil, client).api.account
  end

  def teardown
    Process.kill("TERM", @process)
    Process.wait(@process)
  end

  # Sends a request of the test control, and returns the response.
  def control(method, path, document = nil)
    uri = URI("#{@url}/_callerid/#{path}")
    request = Net::HTTP.const_get(method).new(uri)
    request.basic_auth(*@credentials)
    request.content_type = "application/json"
    request.body = document.to_json if document
    response = Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
    assert_equal "200", response.code, response.body
    JSON.parse(response.body)
  end

  def create
    @account.validation_requests.create(phone_number: VERIFIES)
  end

  def test_a_number_is_validated
    request = create
    assert_match(/\A\d{6}\z/, request.validation_code)
    call = control(:Get, "calls?status=completed&wait=10")["calls"].first
    assert_equal request.call_sid, call["call_sid"]
    assert_equal "success", call["verification_status"]
    assert_equal [VERIFIES], @account.outgoing_caller_ids.list.map(&:phone_number)
  end

  def test_the_service_is_down_twice_then_works
    control(:Post, "faults", times: 2, then: { status: 503 })
    2.times do
      error = assert_raises(Twilio::REST::RestError) { create }
      assert_equal 503, error.status_code
    end
    create
  end
end
