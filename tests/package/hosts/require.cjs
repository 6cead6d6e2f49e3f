const { check } = require("../check.js");

check({ ...require("callerid"), ...require("callerid/mock") }).then(console.log);
