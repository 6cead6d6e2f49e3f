export class RestException extends Error {
  constructor(status, message, code, moreInfo) {
    super(message);
    this.status = status;
    this.code = code ?? null;
    this.moreInfo = moreInfo ?? null;
  }

  get name() {
    return "RestException";
  }
}

export class UnexpectedResponse extends Error {
  constructor(status, message, options) {
    super(message, options);
    this.status = status;
    this.code = null;
    this.moreInfo = null;
  }

  get name() {
    return "UnexpectedResponse";
  }
}

export class InvalidDocument extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }

  get name() {
    return "InvalidDocument";
  }
}

export class InvalidPhoneNumber extends Error {
  constructor(reason, message, at) {
    super(message);
    this.reason = reason;
    this.at = at;
  }

  get name() {
    return "InvalidPhoneNumber";
  }
}
