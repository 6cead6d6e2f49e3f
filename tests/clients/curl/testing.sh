#!/bin/sh
# Ten scenarios, against a server that runs with --test --callback-allow 127.0.0.1.
set -eu
LIST=$CALLERID_URL/2010-04-01/Accounts/$CALLERID_ACCOUNT_SID/OutgoingCallerIds.json
api() { curl --silent --user "$CALLERID_ACCOUNT_SID:$CALLERID_AUTH_TOKEN" "$@"; }
control() { # METHOD PATH [DOCUMENT]
  api --request "$1" "$CALLERID_URL/_callerid/$2" --data "${3:-}"
}
expect() { # reads a response, and fails if it does not contain the text
  response=$(cat)
  case $response in *"$1"*) ;; *) echo "expected $1, got $response" >&2 && exit 1 ;; esac
}
begin() { echo "$1" && control POST reset >/dev/null && control DELETE clock >/dev/null; }

begin "happy path"
api "$LIST" -d PhoneNumber=2125550171 | expect '"validation_code":"'
control GET "caller_ids?phone_number=2125550171&wait=10" | expect '"sid":"PN'

begin "a wrong code, then the right one"
api "$LIST" -d PhoneNumber=2125550173 | expect '"call_sid":"CA'
control GET "calls?phone_number=2125550173&status=completed&wait=10" | expect '"entries_left":2'
api "$LIST" | expect '"phone_number":"+12125550173"'

begin "busy"
control PUT phones/4158675309 '"busy"' | expect busy
api "$LIST" -d PhoneNumber=4158675309 | expect '"call_sid":"CA'
control GET "calls?phone_number=4158675309&status=busy&wait=10" | expect '"call_sid":"CA'
api "$LIST" | expect '"outgoing_caller_ids":[]'

begin "nobody answers"
control PUT "phones/*" '{"script":[{"after_ms":200,"do":"no_answer"}]}' | expect no_answer
api "$LIST" -d PhoneNumber=4158675309 | expect '"call_sid":"CA'
control GET "calls?status=no-answer&wait=10" | expect '"verification_status":"failed"'

begin "time runs out"
control POST clock '{"now":"2008-04-01T18:26:32Z","frozen":true}' | expect '"frozen":true'
api "$LIST" -d PhoneNumber=4158675309 | expect '"call_sid":"CA'
control GET codes/4158675309 | expect '"validation_code":"'
control POST clock/advance '{"seconds":600}' | expect '"now":"2008-04-01T18:36:32.000Z"'
control GET codes/4158675309 | expect '"status":404'
control GET "calls?phone_number=4158675309" | expect '"status":"no-answer"'

begin "the service is down twice, then works"
control POST faults '{"match":{"method":"POST"},"times":2,"then":{"status":503}}' | expect '"id":'
api --retry 2 "$LIST" -d PhoneNumber=2125550171 | expect '"call_sid":"CA'
control GET faults | expect '"hits":2,"times_left":0'
control GET "caller_ids?wait=10" | expect '"sid":"PN'

begin "the answer is lost after the work was done: asking again rings twice"
control POST faults '{"match":{"method":"POST"},"times":1,"then":{"drop":"after"}}' | expect '"id":'
api "$LIST" -d PhoneNumber=4158675309 && exit 1
control GET "calls?phone_number=4158675309" | expect '"status":"ringing"'
api "$LIST" -d PhoneNumber=4158675309 | expect '"call_sid":"CA'
control GET "calls?phone_number=4158675309&status=canceled" | expect '"call_sid":"CA'
control GET "calls?phone_number=4158675309&status=ringing" | expect '"call_sid":"CA'

begin "120 caller IDs over pages"
rows=$(for last in $(seq 100 219); do printf ',{"phone_number":"4158675%s"}' "$last"; done)
control POST seed "{\"caller_ids\":[${rows#,}]}" | expect '{"caller_ids":120}'
page=${LIST#"$CALLERID_URL"} sizes=
while [ -n "$page" ]; do
  response=$(api "$CALLERID_URL$page")
  sizes="$sizes $(echo "$response" | grep -o '"sid":"PN' | wc -l | tr -d ' ')"
  page=$(echo "$response" | sed -n 's/.*"next_page_uri":"\([^"]*\)".*/\1/p')
done
echo "$sizes" | expect " 50 50 20"

begin "a number already validated"
control POST seed '{"caller_ids":[{"phone_number":"4158675309"}]}' | expect '{"caller_ids":1}'
api "$LIST" -d PhoneNumber=4158675309 | expect '"code":21450'
control GET calls | expect '{"calls":[]}'

begin "a callback (its signature is checked in the Python below)"
api "$LIST" -d PhoneNumber=2125550171 -d StatusCallback=http://127.0.0.1:9/ | expect '"call_sid":"CA'
control GET "callbacks?wait=10" | expect 'VerificationStatus=success'
