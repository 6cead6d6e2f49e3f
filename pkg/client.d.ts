/**
 * Everything but the mock, in half of the bytes: for what runs in production. Its classes are its own: an error of
 * `callerid/client` is not an instance of `callerid`'s class of that name. A client of it talks to a `MockApi` as to any
 * other server.
 *
 * @module callerid/client
 */

export {
  CallControl,
  CallDelay,
  CallerIdClient,
  FriendlyName,
  InvalidDocument,
  InvalidPhoneNumber,
  PhoneNumber,
  RestException,
  UnexpectedResponse,
  parseResponse,
} from "./index.js";
export type {
  ApiDocument,
  ApiVersion,
  Call,
  CallStatus,
  CallerIdList,
  CallerIdPage,
  Change,
  ClientOptions,
  ConnectionOptions,
  CreateParameters,
  EventsOptions,
  Fetch,
  FetchInit,
  FriendlyNameCheck,
  InvalidPhoneNumberReason,
  ListFilter,
  ListParameters,
  OutgoingCallerId,
  PhoneNumberCheck,
  PhoneNumberKind,
  RequestOptions,
  ValidationRequest,
} from "./index.js";
