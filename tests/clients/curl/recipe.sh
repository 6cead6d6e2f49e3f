curl --silent --show-error --fail-with-body \
  --user "$CALLERID_ACCOUNT_SID:$CALLERID_AUTH_TOKEN" \
  --data-urlencode "PhoneNumber=+14158675309" \
  "$CALLERID_URL/2010-04-01/Accounts/$CALLERID_ACCOUNT_SID/OutgoingCallerIds.json"
