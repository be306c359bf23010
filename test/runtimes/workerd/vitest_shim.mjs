// Stands in for the module `vitest` inside workerd, which vitest itself cannot enter.
//
// The parts are vitest's own: its runner collects and runs the suites and its matchers judge them,
// so a suite runs unchanged. Left out is what needs a file system or a module loader: snapshots,
// module mocks, `expect.soft` and `expect.poll`. Using one of them fails the test.

import {
  addCustomEqualityTesters,
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  ChaiStyleAssertions,
  customMatchers,
  getState,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest, startTests } from "@vitest/runner";
import * as spy from "@vitest/spy";
import { processError } from "@vitest/utils/error";

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFailed,
  onTestFinished,
  suite,
  test,
} from "@vitest/runner";
export { assert, should } from "chai";
export { assertType, expectTypeOf } from "expect-type";
export { chai };

/** The mock functions that need no module loader and no fake clock. */
export const vi = {
  clearAllMocks: spy.clearAllMocks,
  fn: spy.fn,
  isMockFunction: spy.isMockFunction,
  resetAllMocks: spy.resetAllMocks,
  restoreAllMocks: spy.restoreAllMocks,
  spyOn: spy.spyOn,
};

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) {
  chai.use(plugin);
}

const NO_EXPECTATIONS = {
  assertionCalls: 0,
  isExpectingAssertions: false,
  isExpectingAssertionsError: null,
  expectedAssertionsNumber: null,
  expectedAssertionsNumberErrorGen: null,
};

/** @param {import("@vitest/runner").Test} [test] */
function createExpect(test) {
  const expect = (value, message) => {
    setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
    const assertion = chai.expect(value, message);
    const current = test ?? getCurrentTest();
    return current === undefined ? assertion : assertion.withTest(current);
  };
  Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
    addEqualityTesters: addCustomEqualityTesters,
    assert: chai.assert,
    assertions(expected) {
      setState({
        expectedAssertionsNumber: expected,
        expectedAssertionsNumberErrorGen: () =>
          new Error(`expected ${expected} assertions, got ${getState(expect).assertionCalls}`),
      }, expect);
    },
    extend: (matchers) => chai.expect.extend(expect, matchers),
    getState: () => getState(expect),
    hasAssertions() {
      setState({
        isExpectingAssertions: true,
        isExpectingAssertionsError: new Error("expected at least one assertion, got none"),
      }, expect);
    },
    setState: (state) => setState(state, expect),
    unreachable(message) {
      chai.assert.fail(`expected${message ? ` "${message}"` : ""} not to be reached`);
    },
  });
  setState({ ...NO_EXPECTATIONS }, expect);
  return expect;
}

export const expect = createExpect();
Object.defineProperty(globalThis, GLOBAL_EXPECT, {
  value: expect,
  writable: true,
  configurable: true,
});
expect.extend(customMatchers);

/** @param {number} timeout in milliseconds, for each test and each hook */
function createRunner(timeout, load) {
  return {
    config: {
      root: "/",
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
      chaiConfig: undefined,
      maxConcurrency: 5,
      testTimeout: timeout,
      hookTimeout: timeout,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: load,
    onBeforeTryTask() {
      setState({ ...NO_EXPECTATIONS }, expect);
    },
    onAfterTryTask(test) {
      checkAssertionCount(getState(expect));
      if (ownExpects.has(test.context)) checkAssertionCount(getState(test.context.expect));
    },
    extendTaskContext(context) {
      let own;
      Object.defineProperty(context, "expect", {
        get() {
          ownExpects.add(context);
          return own ??= createExpect(context.task);
        },
      });
      return context;
    },
  };
}

/** The test contexts whose own `expect` was used. */
const ownExpects = new WeakSet();

function checkAssertionCount(state) {
  const { assertionCalls, expectedAssertionsNumber, isExpectingAssertions } = state;
  if (expectedAssertionsNumber !== null && assertionCalls !== expectedAssertionsNumber) {
    throw state.expectedAssertionsNumberErrorGen();
  }
  if (isExpectingAssertions && assertionCalls === 0) throw state.isExpectingAssertionsError;
}

/**
 * Runs one suite and returns what became of each test, as plain data.
 *
 * @param {string} file the name to report
 * @param {() => Promise<unknown>} load imports the suite
 * @param {number} timeout in milliseconds, for each test and each hook
 */
export async function runSuite(file, load, timeout) {
  const detached = new Map();
  addEventListener("unhandledrejection", ({ promise, reason }) => {
    detached.set(promise, processError(reason));
  });
  // workerd speaks up earlier than Node does, and takes it back when a handler comes later.
  addEventListener("rejectionhandled", ({ promise }) => {
    detached.delete(promise);
  });
  const [root] = await startTests([`/${file}`], createRunner(timeout, load));
  await new Promise((resolve) => setTimeout(resolve));
  const tests = [];
  const errors = [...(root.result?.errors ?? []), ...detached.values()].map(describeError);
  collect(root, "");
  return { file, tests, errors };

  function collect(parent, prefix) {
    for (const task of parent.tasks) {
      const name = prefix + task.name;
      const taskErrors = (task.result?.errors ?? []).map(describeError);
      if (task.type === "suite") {
        // A suite fails by itself when one of its hooks does.
        errors.push(...taskErrors.map((text) => `${name}\n${text}`));
        collect(task, `${name} > `);
      } else {
        tests.push({ name, state: stateOf(task), errors: taskErrors });
      }
    }
  }
}

function stateOf(task) {
  if (task.result?.state === "pass") return "passed";
  if (task.result?.state === "fail") return "failed";
  // A test that was to run but has no result is one that a failed hook kept from running.
  return task.mode === "skip" || task.mode === "todo" ? "skipped" : "failed";
}

function describeError(error) {
  const name = error.name ?? "Thrown";
  const { diff, message, stack = "" } = error;
  const title = stack.includes(message) ? "" : `${name}: ${message}`;
  return [title, stack, diff ?? ""].filter((part) => part !== "").join("\n");
}
