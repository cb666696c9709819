'use strict';
const fs = require('fs');

/** Reads a file. */
export default function read(path) {
  return fs.readFileSync(path);
}

export const parse = async (text) => {
  const local = 3;
  const helper = (x) => {
    const y = x;
    return y;
  };
  return helper(text);
};

export const LIMITS = {
  bytes: 3,
  check(value) {
    return value < 3;
  },
  reset: function () {
    return 0;
  },
};

class Queue extends Base {
  static #count = 0;
  handle = () => {
    return 1;
  };

  /** Takes one. */
  lease(n) {
    return n;
  }

  get size() { return 0; }
}

Queue.prototype.drop = function () {
  return 1;
};

module.exports.open = () => {
  return 2;
};

(function () {
  function hidden() {
    return 1;
  }
})();

describe("a queue", () => {
  it("keeps the order", () => {
    expect(1).toBe(1);
  });
});
