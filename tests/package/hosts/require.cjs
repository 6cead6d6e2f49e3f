const { check } = require("../check.js");

check(require("callerid")).then(console.log);
