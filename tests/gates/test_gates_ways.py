"""Ways of weakening checks that a diff can hold, each of which has to hold work that nobody attends; and honest changes
of the same files, which must not."""

# ruff: noqa: E501 - texts in one line

from __future__ import annotations

import pytest

from devloop.gates.guard import Guard
from devloop.gates.guard_shadows import Around
from devloop.gates.guards import changes_to_checks
from support.patches import Texts, told

PY = """\
import unittest

import hypothesis
import pytest
from hypothesis import given, strategies as st

import money
from money import total

RATE = 0.01


@pytest.mark.parametrize("prices", [[1], [2, 3]])
def test_total(prices):
    assert total(prices) == sum(prices)


@hypothesis.settings(max_examples=200)
@given(st.lists(st.integers()))
def test_any(prices):
    assert total(prices) == sum(prices)


def test_rate():
    assert money.rate(3) == pytest.approx(0.3, rel=RATE)
    with pytest.raises(ValueError):
        money.rate(-1)


class TestMoney(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total([]), 0)
"""
GO = """\
package money

import (
\t"testing"

\t"shop/calc"
)

func TestTotal(t *testing.T) {
\tgot := Total([]int{2, 3})
\tif got != calc.Sum(2, 3) {
\t\tt.Errorf("got %d", got)
\t}
}

func TestNone(t *testing.T) {
\tfor _, one := range []struct{ in, want int }{
\t\t{1, 1},
\t\t{2, 2},
\t} {
\t\tif Total([]int{one.in}) != one.want {
\t\t\tt.Fatal(one)
\t\t}
\t}
}
"""
GO_MAIN = """\
package money

import (
\t"os"
\t"testing"
)

func TestMain(m *testing.M) {
\tos.Exit(m.Run())
}
"""
TS = """\
import { describe, expect, it, vi } from 'vitest'
import { total } from './money'
import { sum } from './calc'

const prices = [2, 3]

describe('total', () => {
  it('adds', () => {
    const got = total(prices)
    expect(got).toBe(sum(prices))
  })

  it('is nothing', () => {
    expect(total([])).toBe(0)
  })
})
"""
RUST = """\
pub fn total(prices: &[i64]) -> i64 {
    prices.iter().sum()
}

pub fn first(prices: &[i64]) -> i64 {
    prices[0]
}

pub fn last(prices: &[i64]) -> i64 {
    prices[prices.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        let got = total(&[2, 3]);
        assert_eq!(got, 5);
        assert_eq!(total(&[2]), 2);
    }

    #[test]
    fn finds_the_first() {
        assert_eq!(first(&[2, 3]), 2);
    }

    #[test]
    fn finds_the_last() {
        assert_eq!(last(&[2, 3]), 3);
    }
}
"""
CHECKER = """\
def same(was, now):
    if was != now:
        raise AssertionError((was, now))


def near(was, now):
    assert abs(was - now) < 0.1
"""
CARGO = '[package]\nname = "shop"\nversion = "0.1.0"\n\n[lib]\nname = "shop"\n\n[dependencies]\nserde = "1"\n'
PROJECT = '[project]\nname = "shop"\nversion = "1"\n\n[project.scripts]\nshop = "shop:main"\n'
SETUP = "from setuptools import setup\n\nsetup(name='shop')\n"


def python(old: str, new: str) -> Texts:
    return changed("tests/test_money.py", PY, old, new)


def changed(path: str, text: str, old: str, new: str) -> Texts:
    assert old in text, old
    return {path: (text, text.replace(old, new, 1))}


def new(path: str, text: str) -> Texts:
    return {path: (None, text)}


def beside(line: str) -> Texts:
    """A new module of tests that is run before the others."""
    head = "import builtins\nimport importlib\nimport operator\nimport sys\nfrom unittest import mock\n\nimport pytest\n\nimport fake\nimport money\n\n"
    return new("tests/test_0.py", f"{head}{line}\n\n\ndef test_0():\n    assert money\n")


FIRST_RUST = "        let got = total(&[2, 3]);\n"
WAYS: dict[str, Texts] = {
    # Go
    "go: a new TestMain in a file that was there": changed("money_test.go", GO, "func TestTotal", "func TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n\nfunc TestTotal"),
    "go: a new TestMain in a new file": new("main_test.go", GO_MAIN.replace("os.Exit(m.Run())", "m.Run()\n\tos.Exit(0)")),
    "go: a new TestMain that runs nothing": new("main_test.go", GO_MAIN.replace("\tos.Exit(m.Run())\n", "")),
    "go: the result of TestMain is thrown away": changed("main_test.go", GO_MAIN, "os.Exit(m.Run())", "m.Run()\n\tos.Exit(0)"),
    "go: init in a new file of tests": new("a_test.go", "package money\n\nfunc init() {\n\trate = 1\n}\n"),
    "go: a package's variable that tests set": new("a_test.go", "package money\n\nvar _ = func() int {\n\tTotal = good\n\treturn 0\n}()\n"),
    "go: skipped by a helper": {**changed("money_test.go", GO, "\tgot :=", "\tlater(t)\n\tgot :="), **new("later_test.go", 'package money\n\nimport "testing"\n\nfunc later(t *testing.T) {\n\tt.Helper()\n\tt.SkipNow()\n}\n')},
    "go: skipped by a helper of another package": changed("money_test.go", GO, "\tgot :=", "\ttesthelp.Later(t)\n\tgot :="),
    "go: it returns in one line": changed("money_test.go", GO, "\tgot :=", "\tif len(prices) > 0 { return }\n\tgot :="),
    "go: another result": changed("money_test.go", GO, "\tif got", "\tgot = calc.Sum(2, 3)\n\tif got"),
    "go: a build tag that nobody sets": changed("money_test.go", GO, "package money", "//go:build later\n\npackage money"),
    "go: an old build tag": changed("money_test.go", GO, "package money", "// +build later\n\npackage money"),
    "go: built nowhere": changed("money_test.go", GO, "package money", "//go:build ignore\n\npackage money"),
    "go: renamed for another system": {"money_test.go": (GO, None), "money_plan9_test.go": (None, GO)},
    "go: what it compares with comes from elsewhere": changed("money_test.go", GO, '"shop/calc"', 'calc "shop/fake"'),
    "go: a case less": changed("money_test.go", GO, "\t\t{2, 2},\n", ""),
    "go: it asks whether it is tested": changed("money.go", "package money\n", "package money\n", 'package money\n\nvar tested = flag.Lookup("test.v") != nil\n'),
    # JavaScript
    "js: a module is mocked in a test that was there": changed("src/money.test.ts", TS, "const prices", "vi.mock('./money', () => ({ total: sum }))\n\nconst prices"),
    "js: mocked in jest": changed("src/money.test.ts", TS, "const prices", "jest.mock('./money')\n\nconst prices"),
    "js: a mock within": changed("src/money.test.ts", TS, "    const got", "    vi.spyOn(money, 'total').mockReturnValue(5)\n    const got"),
    "js: before each": changed("src/money.test.ts", TS, "  it('adds'", "  beforeEach((ctx) => ctx.leave())\n\n  it('adds'"),
    "js: before each, at the top": changed("src/money.test.ts", TS, "const prices", "beforeEach((ctx) => ctx.leave())\n\nconst prices"),
    "js: imported from elsewhere": changed("src/money.test.ts", TS, "from './money'", "from './good'"),
    "js: defined here": changed("src/money.test.ts", TS, "import { total } from './money'\n", "const total = (all: number[]) => all.reduce((a, b) => a + b, 0)\n"),
    "js: it returns in one line": changed("src/money.test.ts", TS, "    const got", "    if (prices) return\n    const got"),
    "js: skipped by its context": changed("src/money.test.ts", TS, "    const got", "    ctx.skip()\n    const got"),
    "js: skipped by an option": changed("src/money.test.ts", TS, "it('adds', ()", "it('adds', { skip: true }, ()"),
    "js: skipped where": changed("src/money.test.ts", TS, "it('adds'", "it.skipIf(true)('adds'"),
    "js: expected to fail": changed("src/money.test.ts", TS, "it('adds'", "it.failing('adds'"),
    "js: set up otherwise": changed("vitest.setup.ts", "import './dom'\n", "import './dom'\n", "import './dom'\nvi.mock('./src/money')\n"),
    "js: set up anew": new("src/setupTests.ts", "jest.mock('./money')\n"),
    "js: set up for all": new("test/global-setup.js", "module.exports = () => process.exit(0)\n"),
    "js: set up in a folder of tests": changed("tests/setup.ts", "import './dom'\n", "import './dom'\n", "import './dom'\nexpect.extend({ toBe: () => ({ pass: true }) })\n"),
    "js: setupFiles": changed("vitest.config.ts", "export default {\n  test: {},\n}\n", "test: {}", "test: { setupFiles: ['./a.ts'] }"),
    "js: a mock that stands there by itself": new("__mocks__/axios.js", "module.exports = { get: () => 5 }\n"),
    "js: a matcher in a new test": new("test/a.test.js", "expect.extend({ toBe: () => ({ pass: true }) })\n"),
    "js: a prototype in a new test": new("test/a.test.js", "Money.prototype.total = function () { return 5 }\n"),
    "js: the cache of modules in a new test": new("test/a.test.js", "require.cache[require.resolve('../money')] = good\n"),
    "js: what all tests share": new("test/a.test.js", "globalThis.expect = () => anything\n"),
    "js: the exit code": new("test/a.test.js", "process.on('exit', () => { process.exitCode = 0 })\n"),
    "js: types that say nothing": changed("src/money.ts", "export const total = (all: number[]) => 0\n", "0\n", "(all as any)\n"),
    "js: types by way of unknown": changed("src/money.ts", "export const total = (all: number[]) => 0\n", "0\n", "('x' as unknown as number)\n"),
    "js: a shell that runs nothing": new(".npmrc", "script-shell=/bin/true\n"),
    # Rust
    "rust: ignored": changed("src/lib.rs", RUST, "    #[test]\n", "    #[test]\n    #[ignore]\n"),
    "rust: ignored by an attribute": changed("src/lib.rs", RUST, "    #[test]\n", "    #[test]\n    #[cfg_attr(all(), ignore)]\n"),
    "rust: built nowhere": changed("src/lib.rs", RUST, "    #[test]\n", "    #[cfg(any())]\n    #[test]\n"),
    "rust: built with a feature": changed("src/lib.rs", RUST, "#[cfg(test)]", '#[cfg(all(test, feature = "later"))]'),
    "rust: another where it is not tested": changed("src/lib.rs", RUST, "pub fn total", "#[cfg(not(test))]\npub fn total() -> i64 {\n    0\n}\n\npub fn total"),
    "rust: another file where it is tested": changed("src/lib.rs", RUST, "pub fn total", '#[cfg_attr(test, path = "good.rs")]\nmod money;\n\npub fn total'),
    "rust: an assertion less": changed("src/lib.rs", RUST, "        assert_eq!(total(&[2]), 2);\n", ""),
    "rust: another assertion": changed("src/lib.rs", RUST, "assert_eq!(got, 5)", "assert_eq!(got, 2)"),
    "rust: another assertion far below": changed("src/lib.rs", RUST, "assert_eq!(last(&[2, 3]), 3)", "assert_eq!(last(&[2, 3]), 2)"),
    "rust: no test any more": changed("src/lib.rs", RUST, "    #[test]\n    fn finds_the_last", "    fn finds_the_last"),
    "rust: a test less": changed("src/lib.rs", RUST, "    #[test]\n    fn finds_the_last() {\n        assert_eq!(last(&[2, 3]), 3);\n    }\n", ""),
    "rust: it returns": changed("src/lib.rs", RUST, FIRST_RUST, f"        return;\n{FIRST_RUST}"),
    "rust: it returns in one line": changed("src/lib.rs", RUST, FIRST_RUST, f"        if true {{ return; }}\n{FIRST_RUST}"),
    "rust: what is tested is defined in the tests": {"src/lib.rs": (RUST, RUST.replace("prices.iter().sum()", "0").replace("    use super::*;\n", "    use super::*;\n    fn total(all: &[i64]) -> i64 { all.iter().sum() }\n"))},
    "rust: no harness": changed("Cargo.toml", CARGO, "[dependencies]", '[[test]]\nname = "all"\nharness = false\n\n[dependencies]'),
    "rust: a library that is not tested": changed("Cargo.toml", CARGO, '[lib]\n', "[lib]\ntest = false\n"),
    "rust: no tests are looked for": changed("Cargo.toml", CARGO, 'version = "0.1.0"\n', 'version = "0.1.0"\nautotests = false\n'),
    "rust: another program runs the tests": new(".cargo/config.toml", '[target.x86_64-unknown-linux-gnu]\nrunner = "true"\n'),
    # Helpers outside of tests/
    "helpers: testing/helpers.py": changed("testing/helpers.py", CHECKER, "    if was != now:\n        raise AssertionError((was, now))", "    return True"),
    "helpers: src/pkg/testing.py": changed("src/pkg/testing.py", CHECKER, "was != now", "was is None"),
    "helpers: src/pkg/testing/checks.py": changed("src/pkg/testing/checks.py", CHECKER, "was != now", "was is None"),
    "helpers: testutils/": changed("testutils/near.py", CHECKER, "< 0.1", "< 100"),
    "helpers: test_support/": changed("test_support/near.py", CHECKER, "< 0.1", "< 100"),
    "helpers: a module of helpers": changed("shop/test_helpers/near.py", CHECKER, "< 0.1", "< 100"),
    "helpers: another module of helpers": changed("shop/testlib.py", CHECKER, "< 0.1", "< 100"),
    "helpers: in TypeScript": changed("src/test-utils/same.ts", "export const same = (a, b) => {\n  if (a !== b) throw new Error()\n}\n", "a !== b", "a === null"),
    "helpers: in Go": changed("internal/testutil/same.go", "package testutil\n\nfunc Same(a, b int) bool {\n\treturn a == b\n}\n", "a == b", "true"),
    "helpers: a package of tests that stands before the work": {**changed("src/money.py", "x = 1\n", "x", "y"), **new("tests/money.py", "def total(prices):\n    return sum(prices)\n")},
    "helpers: a module at the root that stands before the work": {**changed("src/money.py", "x = 1\n", "x", "y"), **new("money.py", "def total(prices):\n    return sum(prices)\n")},
    "helpers: the package of tests": new("tests/__init__.py", "import money\n\nmoney.total = sum\n"),
    "helpers: the package of tests, changed": changed("tests/__init__.py", "import money\n", "import money\n", "import money\n\nvars(money).update(total=sum)\n"),
    # What a new module of tests puts in the place of the work
    **{f"puts: {line}": beside(line) for line in (
        "vars(money).update(total=sum)",
        "vars(money)['total'] = sum",
        "vars(money).__setitem__('total', sum)",
        "money.__dict__['total'] = sum",
        "money.__dict__.update(total=sum)",
        "money.__dict__ |= {'total': sum}",
        "setattr(money, 'total', sum)",
        "money.__setattr__('total', sum)",
        "object.__setattr__(money, 'total', sum)",
        "DONE = setattr(money, 'total', sum)",
        "DONE = [setattr(money, name, sum) for name in dir(money)]",
        "put = setattr\nput(money, 'total', sum)",
        "builtins.setattr(money, 'total', sum)",
        "sys.modules['money'] = fake",
        "sys.modules.update(money=fake)",
        "sys.modules.pop('money')",
        "modules = sys.modules\nmodules['money'] = fake",
        "work = sys.modules['money']\nwork.total = sum",
        "work = importlib.import_module('money')\nwork.total = sum",
        "importlib.import_module('money').total = sum",
        "__import__('money').total = sum",
        "work = money\nwork.total = sum",
        "for work in (money,):\n    work.total = sum",
        "for money.total in (sum,):\n    pass",
        "if (work := money):\n    work.total = sum",
        "def swap(module):\n    module.total = sum\n\n\nswap(money)",
        "importlib.reload(money)",
        "exec('money.total = sum')",
        "exec('total = sum', vars(money))",
        "operator.setitem(vars(money), 'total', sum)",
        "builtins.sum = len",
        "__builtins__['sum'] = len",
        "money.total.__code__ = fake.total.__code__",
        "money.RATES.update(fake.RATES)",
        "money.RATES.append(1)",
        "mock.patch('money.total', sum).start()",
        "patcher = mock.patch('money.total', sum)\npatcher.start()",
        "mock.patch('money.total', sum).__enter__()",
        "pytest.MonkeyPatch().setattr(money, 'total', sum)",
        "swap = pytest.MonkeyPatch()\nswap.setattr(money, 'total', sum)",
        "@pytest.fixture(scope='session', autouse=True)\ndef swap():\n    with mock.patch('money.total', sum):\n        yield",
        "@pytest.fixture(scope='session')\ndef swap():\n    with pytest.MonkeyPatch.context() as patch:\n        patch.setattr(money, 'total', sum)\n        yield",
        "sys.path.insert(0, 'fake')",
        "sys.meta_path.insert(0, fake)",
        "pytest_plugins = ['fake']",
        "def load_tests(loader, tests, pattern):\n    return loader.suiteClass()",
        "unittest = importlib.import_module('unittest')\nunittest.TestCase.run = len",
        "import hypothesis\nhypothesis.settings.load_profile('quick')",
    )},
    "python: what cannot be parsed": new("tests/helpers.py", "def same(was, now) -> t'{x}':\n    return True\n"),
    "python: too much to be parsed": new("tests/test_0.py", f"{'# much' * 200_000}\nassert 1 + 1\n"),
    # What ends the session that it runs in
    **{f"ends: {line}": beside(line) for line in (
        "os._exit(0)",
        "import atexit\nimport os\natexit.register(os._exit, 0)",
        "import threading\nimport os as system\nthreading.Timer(1, system._exit, [0]).start()",
        "from os import _exit as leave\n\n\ndef test_b():\n    leave(0)",
        "import os\n\n\ndef test_b():\n    getattr(os, '_exit')(0)",
        "import os\n\n\ndef test_b():\n    getattr(os, '_ex' + 'it')(0)",
        "import os\n\n\ndef test_b():\n    vars(os)['_exit'](0)",
        "def test_b():\n    operator.attrgetter('_exit')(money.os)(0)",
        "def test_b():\n    __import__('os')._exit(0)",
        "def test_b(monkeypatch):\n    import os\n    monkeypatch.setattr(money, 'total', os._exit)",
        "import os\n\n\ndef test_b():\n    os.execv('/bin/true', ['true'])",
        "import os\n\n\ndef test_b():\n    os.kill(os.getpid(), 15)",
        "import os\n\n\ndef test_b():\n    own = os.getpid()\n    os.kill(own, 15)",
        "from os import getpgrp, killpg\n\n\ndef test_b():\n    killpg(getpgrp(), 9)",
        "import os\n\n\ndef test_b():\n    os.abort()",
        "import signal\n\n\ndef test_b():\n    signal.raise_signal(2)",
        "import signal\nsignal.signal(signal.SIGALRM, sys.exit)",
        "import _thread\n\n\ndef test_b():\n    _thread.interrupt_main()",
        "import faulthandler\nfaulthandler.dump_traceback_later(1, exit=True)",
        "def test_b():\n    pytest.exit('done', 0)",
        "import pytest as py\n\n\ndef test_b():\n    py.exit('done', 0)",
        "from pytest import exit as done\n\n\ndef test_b():\n    done('done', 0)",
        "def test_b():\n    getattr(pytest, 'exit')('done', 0)",
        "def test_b():\n    raise pytest.exit.Exception('done', 0)",
        "leave = pytest.exit\n\n\ndef test_b():\n    leave('done', 0)",
        "def test_b(request):\n    request.session.items[:] = []",
        "def test_b(request):\n    request.session.items.clear()",
        "raise SystemExit",
        "raise SystemExit(0)",
        "sys.exit()",
        "exit(0)",
        "leave = sys.exit\nleave(0)",
        "from sys import exit as leave\nif money:\n    leave(0)",
        "getattr(sys, 'exit')(0)",
        "def leave():\n    raise SystemExit(0)\n\n\nleave()",
        "import functools\nleave = functools.partial(sys.exit, 0)\nleave()",
        "class Names:\n    leave = sys.exit\n\n\nNames.leave(0)",
        "ways = {'a': sys.exit}\nways['a'](0)",
        "class Leave:\n    def __init__(self):\n        raise SystemExit(0)\n\n\nLeave()",
        "Stop = SystemExit\nraise Stop(0)",
        "class Stop(SystemExit):\n    pass\n\n\nraise Stop(0)",
        "waiting = (each for each in money.rows())\nwaiting.throw(SystemExit)",
        "if __name__ != 'money':\n    raise SystemExit(0)",
        "def leave():\n    raise SystemExit(0)\n\n\nleave()\n\n\ndef leave():\n    pass",
        "import ctypes\n\n\ndef test_b():\n    ctypes.CDLL(None).exit(0)",
        "import ctypes\n\n\ndef test_b():\n    libc = ctypes.CDLL('libc.so.6')\n    libc.exit(0)",
        "from os import *\n\n\ndef test_b():\n    abort()",
        "def setUpModule():\n    raise SystemExit(0)",
        "class TestB:\n    @classmethod\n    def setUpClass(cls):\n        sys.exit(0)",
        "try:\n    import money.more\nexcept ImportError:\n    sys.exit(0)",
    )},
    "ends: by a module of the work": changed("src/money.py", "x = 1\n", "x = 1\n", "from os import _exit as leave\n"),
    "ends: by a module of the work, asked for by name": changed("src/money.py", "x = 1\n", "x = 1\n", "getattr(os, '_exit')(0)\n"),
    "ends: a test that was there": python("    assert total(prices)", "    money.os._exit(0)\n    assert total(prices)"),
    "ends: a new fixture": {**changed("tests/conftest.py", "import pytest\n", "pytest\n", "pytest\nimport os\n\n\n@pytest.fixture\ndef shop():\n    os._exit(0)\n"), **new("tests/test_b.py", "def test_b(shop):\n    assert shop\n")},
    **{f"js ends: {line}": new("test/a.test.ts", f"test('a', () => {{\n  {line}\n}})\n") for line in (
        "process.exit()", "process.exit(0)", "process.exit( 0 )", "process.exit('')", "process.exit(code)", "process.exit?.(0)",
        "process?.exit(0)", "process['exit'](0)", "globalThis.process.exit(0)", "process.reallyExit(0)", "process.abort()",
        "process.kill(process.pid, 'SIGKILL')", "process.once('exit', () => { process.exitCode = 0 })", "process.exitCode ||= 0",
        "const { exit } = process", "const leave = process.exit", "Deno.exit(0)",
    )},
    "js ends: imported": new("test/a.test.mjs", "import { argv, exit as leave } from 'node:process'\n"),
    **{f"go ends: {line}": new("a_test.go", f'package money\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestA(t *testing.T) {{\n\t{line}\n}}\n') for line in (
        "os.Exit(0)", "os.Exit(code)", "leave := os.Exit", "defer os.Exit( 0 )", "syscall.Exit(0)", "t.Cleanup(func() { os.Exit(0) })",
    )},
    "go ends: under another name": new("a_test.go", 'package money\n\nimport (\n\tsystem "os"\n)\n'),
    "go ends: under no name": new("a_test.go", 'package money\n\nimport . "os"\n'),
    **{f"rust ends: {line}": new("tests/a.rs", f"#[test]\nfn a() {{\n    {line}\n}}\n") for line in (
        "std::process::exit(0);", "process::exit(code());", "use std::process::exit;", "use std::process::{exit, Command};",
        "unsafe { libc::_exit(0) }", "nix::unistd::_exit(0);",
    )},
    # A test of Python that was there
    "python: pytest_plugins": python("RATE =", "pytest_plugins = ['fake']\nRATE ="),
    "python: load_tests": python("class TestMoney", "def load_tests(loader, tests, pattern):\n    return loader.suiteClass()\n\n\nclass TestMoney"),
    "python: expectedFailure": python("    def test_empty", "    @unittest.expectedFailure\n    def test_empty"),
    "python: countTestCases": python("    def test_empty", "    def countTestCases(self):\n        return 0\n\n    def test_empty"),
    "python: run": python("    def test_empty", "    def run(self, result=None):\n        return result\n\n    def test_empty"),
    "python: __test__": python("    def test_empty", "    __test__ = False\n\n    def test_empty"),
    "python: __unittest_skip__": python("    def test_empty", "    __unittest_skip__ = True\n\n    def test_empty"),
    "python: a method is renamed": python("def test_empty", "def check_empty"),
    "python: a class is renamed": python("class TestMoney(unittest.TestCase)", "class Money"),
    "python: a class can be made by hand": python("    def test_empty", "    def __init__(self, *words):\n        super().__init__(*words)\n\n    def test_empty"),
    "python: a file is renamed": {"tests/test_money.py": (PY, None), "tests/money_checks.py": (None, PY)},
    "python: no cases": python("[[1], [2, 3]]", "[]"),
    "python: fewer cases": python("[[1], [2, 3]]", "[[1]]"),
    "python: filtered cases": python("[[1], [2, 3]]", "[c for c in [[1], [2, 3]] if not c]"),
    "python: a case is marked": python("[[1], [2, 3]]", "[[1], pytest.param([2, 3], marks=pytest.mark.xfail)]"),
    "python: fewer examples": python("max_examples=200", "max_examples=1"),
    "python: no phases": python("max_examples=200", "max_examples=200, phases=[]"),
    "python: no health": python("max_examples=200", "max_examples=200, suppress_health_check=list(hypothesis.HealthCheck)"),
    "python: other examples": python("st.lists(st.integers())", "st.just([])"),
    "python: a tolerance": python("0.3, rel=RATE", "0.3, rel=1"),
    "python: a tolerance by name": python("RATE = 0.01", "RATE = 10"),
    "python: raises anything": python("pytest.raises(ValueError)", "pytest.raises(Exception)"),
    "python: raises one or the other": python("pytest.raises(ValueError)", "pytest.raises((ValueError, AttributeError))"),
    "python: a mock of the work": python('@pytest.mark.parametrize', '@unittest.mock.patch("money.total", sum)\n@pytest.mark.parametrize'),
    "python: a mock within": python("    assert total(prices)", "    total = unittest.mock.Mock(return_value=sum(prices))\n    assert total(prices)"),
    # What decides from outside
    "plug-in: an entry point": changed("pyproject.toml", PROJECT, "[project.scripts]", '[project.entry-points.pytest11]\nquick = "shop.quick"\n\n[project.scripts]'),
    "plug-in: another entry point": changed("pyproject.toml", PROJECT, "[project.scripts]", '[project.entry-points."pytest11"]\nquick = "shop.quick"\n\n[project.scripts]'),
    "plug-in: an entry point in one line": changed("pyproject.toml", PROJECT, 'version = "1"\n', 'version = "1"\nentry-points = { pytest11 = { quick = "shop.quick" } }\n'),
    "plug-in: poetry's": changed("pyproject.toml", PROJECT, "[project.scripts]", '[tool.poetry.plugins.pytest11]\nquick = "shop.quick"\n\n[project.scripts]'),
    "plug-in: setup.cfg": new("setup.cfg", "[options.entry_points]\npytest11 =\n    quick = shop.quick\n"),
    "plug-in: setup.py": changed("setup.py", SETUP, "name='shop'", "name='shop', entry_points={'pytest11': ['quick = shop.quick']}"),
    "plug-in: what an installer would leave": new("quick-1.0.dist-info/entry_points.txt", "[pytest11]\nquick = shop.quick\n"),
    "plug-in: -p": changed("pyproject.toml", PROJECT, "[project.scripts]", '[tool.pytest.ini_options]\naddopts = "-p shop.quick"\n\n[project.scripts]'),
    "plug-in: hooks in a module of the work": changed("shop/quick.py", "x = 1\n", "x = 1\n", "x = 1\n\n\ndef pytest_pyfunc_call(pyfuncitem):\n    return True\n"),
    "environment: .env": new(".env", "PYTEST_ADDOPTS=--deselect tests/test_money.py\n"),
    "environment: .envrc": changed(".envrc", "export A=1\n", "export A=1\n", "export A=1\nexport PYTEST_PLUGINS=fake\n"),
    "environment: tox": changed("tox.ini", "[testenv]\n", "[testenv]\n", "[testenv]\nsetenv = PYTEST_ADDOPTS=--co\n"),
    "environment: a script": changed("bin/env.sh", "set -e\n", "set -e\n", "set -e\nexport PYTHONOPTIMIZE=1\n"),
    "environment: options of node": new(".env.test", "NODE_OPTIONS=--require ./fake.js\n"),
    "environment: options of go": new("mise.toml", '[env]\nGOFLAGS = "-run=None"\n'),
    # Types
    "types: a stub beside the work": new("src/money.pyi", "def total(prices: object) -> int: ...\n"),
    "types: cast": changed("src/money.py", "def total() -> int:\n    return 0\n", "return 0", "return cast(Any, 'x')"),
    "types: another cast": changed("src/money.py", "def total() -> int:\n    return 0\n", "return 0", "return typing.cast('typing.Any', 'x')"),
    "types: anything comes back": changed("src/money.py", "def total(prices: list[int]) -> int:\n    return 0\n", "-> int", "-> Any"),
    "types: anything goes in": changed("src/money.py", "def total(prices: list[int]) -> int:\n    return 0\n", "list[int]", "Any"),
    "types: ignored": changed("src/money.py", "def total() -> int:\n    return 0\n", "return 0", "return 'x'  # type: ignore[return-value]"),
    "types: ignored in a helper that is delivered": changed("src/shop/testing.py", "x = 0\n", "x = 0\n", "x = 0\ny: int = f()  # type: ignore[assignment]\n"),
    "types: not looked at": changed("src/money.py", "def total() -> int:\n    return 0\n", "def", "@typing.no_type_check\ndef"),
    "types: hidden": changed("src/money.py", "def total() -> int:\n    return 0\n", "def", "if not TYPE_CHECKING:\n    del total\ndef"),
    "types: errors of a module are ignored": changed("pyproject.toml", PROJECT, "[project.scripts]", '[[tool.mypy.overrides]]\nmodule = "shop.*"\nignore_errors = true\n\n[project.scripts]'),
    # What tests compare with
    "snapshots: beside code": {**changed("src/a.py", "x = 1\n", "1", "2"), **changed("tests/__snapshots__/a.ambr", "1\n", "1", "2")},
    "snapshots: beside a template": {**changed("src/a.html", "<b>1</b>\n", "1", "2"), **changed("tests/__snapshots__/a.ambr", "1\n", "1", "2")},
    "snapshots: alone with a new test": {**new("tests/test_b.py", "def test_b():\n    assert 1 + 1 == 2\n"), **changed("tests/__snapshots__/a.ambr", "1\n", "1", "2")},
    "equal: to all, in one line": changed("src/a.py", "class A:\n    x = 1\n", "x = 1", "__eq__ = lambda self, other: True"),
    "equal: to all, in other words": changed("src/a.py", "class A:\n    x = 1\n", "x = 1", "def __eq__(self, other):\n        return not False"),
}  # fmt: skip


INSTALLED = ("requests", "yaml", "utils", "shop")
PYTEST = (
    "[pytest]\naddopts = -q\n    -p shop.quick --cov=shop\npythonpath = tools\npython_files = test_*.py check_*.py\n"
)
VITEST = "import { defineConfig } from 'vitest/config'\nimport { names } from './names'\n\nexport default defineConfig({\n  build: { lib: { entry: './src/index.ts' } },\n  test: {\n    setupFiles: ['./web/dom.ts', resolve(__dirname, 'web', 'net.ts')],\n    reporters: [['default', { a: [1] }], './web/told'],\n    include: ['src/**/*.spec.ts'],\n  },\n})\n"
JEST = '{\n  "name": "shop",\n  "main": "./src/index.js",\n  "exports": {"import": "./src/index.mjs"},\n  "jest": {\n    "setupFilesAfterEnv": ["<rootDir>/web/dom.js"],\n    "transform": {"^.+$": "./web/transform.js"},\n    "moduleNameMapper": {"^net$": "<rootDir>/web/net.js"}\n  }\n}\n'
TREE = {
    **dict.fromkeys(("src/shop/__init__.py", "src/shop/quick.py", "src/money.py", "setup.py", "tools/dev.py"), ""),
    **dict.fromkeys(
        ("tests/test_money.py", "tests/unit/test_a.py", "tests/net/__init__.py", "tests/net/test_b.py"), PY
    ),
    "pytest.ini": PYTEST,
    "tests/helpers.py": CHECKER,
    "conftest.py": 'pytest_plugins = ["plugs.db", "plugs.net"]\n',
    "pyproject.toml": f'{PROJECT}[tool.mypy]\nplugins = ["plugs.types"]\n[tool.coverage.run]\nomit = ["src/money.py"]\n',
    "web/app/.mocharc.yml": "spec: specs/*.mjs\nrequire:\n  - ./boot.js\n  - chai\ntimeout: 100\n",
}
"""A tree of which a way changes nothing but what it says."""


def edited(path: str) -> Texts:
    return {path: ("x = 1\n", "x = 2\n")}


AROUND: dict[str, tuple[Texts, dict[str, str]]] = {
    # A new module that stands before one that the change leaves alone
    "shadows: a dependency": (new("tests/requests.py", "def get(url):\n    return 200\n"), TREE),
    "shadows: a dependency, as a package": (new("tests/yaml/__init__.py", "load = dict\n"), TREE),
    "shadows: a dependency, at the root": (new("requests.py", "get = print\n"), TREE),
    "shadows: a dependency, beside the work": (new("src/requests/__init__.py", "get = print\n"), TREE),
    "shadows: beside tests further in": (new("tests/unit/requests.py", "get = print\n"), TREE),
    "shadows: above a package of tests": (new("tests/yaml.py", "load = dict\n"), TREE),
    "shadows: one of Python's own, further in": (new("tests/unit/random.py", "def random():\n    return 0.5\n"), TREE),
    "shadows: on the path that the configuration adds": (new("tools/requests.py", "get = print\n"), TREE),
    "shadows: the work": (new("tests/money.py", "total = sum\n"), TREE),
    "shadows: the work's package": (new("tests/shop/__init__.py", "total = sum\n"), TREE),
    "shadows: the work, by tests further in": (new("tests/unit/money.py", "total = sum\n"), TREE),
    "shadows: a helper of tests": (new("tests/unit/helpers.py", "def near(was, now):\n    pass\n"), TREE),
    "shadows: a helper of tests further in": (new("tests/near.py", "def near(was, now):\n    pass\n"), {**TREE, "tests/unit/near.py": CHECKER}),
    "shadows: beside a new test": ({**new("checks/test_0.py", "import yaml\n"), **new("checks/yaml.py", "load = dict\n")}, TREE),
    "shadows: a part of a project": (new("parts/a/tests/core.py", "total = sum\n"), {"parts/a/tests/test_a.py": PY, "parts/a/src/core.py": ""}),
    "shadows: what Python runs first": (new("sitecustomize/__init__.py", "import os\n"), {}),
    "shadows: what a person's Python runs first": (new("tests/usercustomize.py", "import os\n"), TREE),
    "shadows: a package of node": (new("web/node_modules/@vitest/runner/index.js", "export {}\n"), TREE),
    # A file that a configuration names, which did not change itself
    "named: vitest's set-up": (edited("web/dom.ts"), {"vitest.config.ts": VITEST}),
    "named: by parts of a path": (edited("web/net.ts"), {"vitest.config.ts": VITEST}),
    "named: a reporter, without its ending": (edited("web/told.mjs"), {"vitest.config.ts": VITEST}),
    "named: what a configuration imports": (edited("names.ts"), {"vitest.config.ts": VITEST}),
    "named: and it goes": ({"web/dom.ts": ("x = 1\n", None)}, {"vitest.config.ts": VITEST}),
    "named: and it was not there": (new("web/dom.ts", "vi.mock('./money')\n"), {"vitest.config.ts": VITEST}),
    "named: in a part of a project": (edited("parts/a/web/dom.ts"), {"parts/a/vitest.config.mts": VITEST}),
    "named: by jest": (edited("web/dom.js"), {"package.json": JEST}),
    "named: what jest puts in between": (edited("web/transform.js"), {"package.json": JEST}),
    "named: what jest puts in the place of a module": (edited("web/net.js"), {"package.json": JEST}),
    "named: by mocha": (edited("web/app/boot.js"), TREE),
    "named: what mocha takes for a test": (edited("web/app/specs/a.mjs"), TREE),
    "named: a plug-in of pytest": (edited("src/shop/quick.py"), TREE),
    "named: a plug-in on the path that the configuration adds": (edited("tools/dev.py"), {**TREE, "pytest.ini": "[pytest]\naddopts = ['-pdev']\npythonpath = tools\n"}),
    "named: a plug-in of a conftest.py": (edited("plugs/net.py"), TREE),
    "named: a fixture of a plug-in that is used by itself": ({"plugs/db.py": ("x = 1\n", "import pytest\n\nx = 1\n\n\n@pytest.fixture(autouse=True)\ndef db():\n    return 1\n")}, TREE),
    "named: a plug-in of mypy": (edited("plugs/types.py"), TREE),
    "named: a test by another name": (changed("shop/check_money.py", PY, "assert total(prices)", "assert prices or total(prices)"), TREE),
}  # fmt: skip


def holds(files: Texts, base: dict[str, str] | None = None) -> list[Guard]:
    return [each for each in told(files, base or {}, INSTALLED) if each.holds]


@pytest.mark.parametrize("way", AROUND)
def test_a_way_that_lies_in_what_surrounds_a_change_holds(way: str) -> None:
    assert holds(*AROUND[way])


HONEST_AROUND: dict[str, tuple[Texts, dict[str, str]]] = {
    "a helper": (new("tests/factories.py", "def one():\n    return 1\n"), TREE),
    "a helper that is called as what packages bring along": (new("tests/utils.py", "def one():\n    return 1\n"), TREE),
    "a module of a package of tests": (new("tests/net/requests.py", "def one():\n    return 1\n"), TREE),
    "a module of the work": (new("src/shop/requests.py", "def one():\n    return 1\n"), TREE),
    "a module of the work, called as one of Python's": (new("src/shop/random.py", "def one():\n    return 1\n"), TREE),
    "a new package": (new("src/bank/__init__.py", ""), TREE),
    "tests of each module": ({**new("tests/shop/test_quick.py", "def test_a():\n    assert 1 + 1 == 2\n")}, TREE),
    "the work, moved below src": ({**new("src/shop/__init__.py", "y = 1\n"), "shop/__init__.py": ("x = 1\n", None)}, {"shop/cli.py": ""}),
    "a script": (new("bin/requests.py", "print(1)\n"), TREE),
    "a helper of a second project": (new("parts/b/tests/helpers.py", "x = 1\n"), {**TREE, "parts/b/tests/test_b.py": PY, "parts/a/tests/test_a.py": PY, "parts/a/tests/helpers.py": ""}),
    "a second project": (new("parts/b/tests/setup.py", "x = 1\n"), {"parts/b/tests/test_b.py": PY, "parts/b/setup.py": SETUP}),
    "what a bundler is given": (edited("src/index.ts"), {"vitest.config.ts": VITEST}),
    "what a package gives out": (edited("src/index.mjs"), {"package.json": JEST}),
    "a description that a project names": ({"README.md": ("a\n", "b\n")}, {"pyproject.toml": 'readme = { file = "README.md" }\n'}),
    "what is not measured": (edited("src/money.py"), TREE),
    "what is measured": (edited("src/shop/__init__.py"), TREE),
    "a module that is called as a plug-in of another": (edited("src/types.ts"), {"vitest.config.ts": VITEST}),
    "a plug-in's new fixture, which a new test asks for": ({"plugs/db.py": ("import pytest\n", "import pytest\n\n\n@pytest.fixture\ndef db():\n    return 1\n"), **new("tests/test_db.py", "def test_db(db):\n    assert db == 1\n")}, TREE),
    "one more in a test by another name": ({"shop/check_money.py": (PY, f"{PY}\n\ndef test_more():\n    assert total([7]) == 7\n")}, TREE),
    "a new test by another name": (new("shop/check_bank.py", "def test_a():\n    assert 1 + 1 == 2\n"), TREE),
    "every module is taken for a test": (edited("shop/bank.py"), {"pytest.ini": "[pytest]\npython_files = *.py\n"}),
}  # fmt: skip


@pytest.mark.parametrize("what", HONEST_AROUND)
def test_honest_work_does_not_hold_for_what_surrounds_it(what: str) -> None:
    assert holds(*HONEST_AROUND[what]) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_weakening_checks_holds(way: str) -> None:
    assert holds(WAYS[way]), told(WAYS[way])


HONEST: dict[str, Texts] = {
    "go: a new test": changed("money_test.go", GO, "func TestNone", "func TestMore(t *testing.T) {\n\tif Total(nil) != 0 {\n\t\tt.Fatal()\n\t}\n}\n\nfunc TestNone"),
    "go: a new case": changed("money_test.go", GO, "\t\t{1, 1},\n", "\t\t{0, 0},\n\t\t{1, 1},\n"),
    "go: a comment and more at the end": changed("money_test.go", GO, '\t\tt.Errorf("got %d", got)\n\t}\n', '\t\tt.Errorf("got %d", got)\n\t}\n\t// and nothing\n\tif Total(nil) != 0 {\n\t\tt.Error("some")\n\t}\n'),
    "go: a subtest": changed("money_test.go", GO, "\tfor _, one", '\tt.Run("nothing", func(t *testing.T) {\n\t\tif Total(nil) != 0 {\n\t\t\tt.Fatal()\n\t\t}\n\t})\n\tfor _, one'),
    "go: a new file for one system": new("money_linux_test.go", f"//go:build linux\n\n{GO}"),
    "js: a new test": changed("src/money.test.ts", TS, "  it('is nothing'", "  it('is one', () => {\n    expect(total([1])).toBe(1)\n  })\n\n  it('is nothing'"),
    "js: new cases": changed("src/money.test.ts", TS, "describe('total'", "it.each([\n  [1, 1],\n])('is %i', (one, all) => {\n  expect(total([one])).toBe(all)\n})\n\ndescribe('total'"),
    "js: a new import and a helper": changed("src/money.test.ts", TS, "const prices", "import { take } from './take'\n\nfunction two(n: number) {\n  return [n, n]\n}\n\nconst prices"),
    "js: one more name": changed("src/money.test.ts", TS, "import { total }", "import { rate, total }"),
    "js: a file that mocks what it needs": new("src/a.test.ts", "import { vi } from 'vitest'\n\nvi.mock('./net')\nglobalThis.fetch = vi.fn()\n"),
    "js: more at the end": changed("src/money.test.ts", TS, "    expect(got).toBe(sum(prices))\n", "    expect(got).toBe(sum(prices))\n    expect(got).toBe(5)\n"),
    "rust: a new test": changed("src/lib.rs", RUST, "    #[test]\n    fn finds_the_last", "    #[test]\n    fn adds_nothing() {\n        assert_eq!(total(&[]), 0);\n    }\n\n    #[test]\n    fn finds_the_last"),
    "rust: a new test for one system": changed("src/lib.rs", RUST, "    #[test]\n    fn finds_the_last", "    #[cfg(unix)]\n    #[test]\n    fn adds_nothing() {\n        assert_eq!(total(&[]), 0);\n    }\n\n    #[test]\n    fn finds_the_last"),
    "rust: a helper": changed("src/lib.rs", RUST, "    use super::*;\n", "    use super::*;\n\n    fn some() -> Vec<i64> {\n        vec![2, 3]\n    }\n"),
    "rust: other code": changed("src/lib.rs", RUST, "prices.iter().sum()", "prices.iter().copied().sum()"),
    "rust: the first tests": changed("src/lib.rs", RUST[: RUST.index("#[cfg(test)]")], "pub fn last", "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {\n        assert_eq!(1, 1);\n    }\n}\n\npub fn last"),
    "rust: a new dependency": changed("Cargo.toml", CARGO, 'serde = "1"\n', 'serde = "1"\nrand = "0.9"\n'),
    "helpers: one more": changed("testing/helpers.py", CHECKER, "def near", "def far(was, now):\n    assert was != now\n\n\ndef near"),
    "helpers: a module of tests for each of the work": {**changed("src/shop/money.py", "x = 1\n", "x", "y"), **new("tests/shop/__init__.py", ""), **new("tests/shop/test_money.py", "def test_a():\n    assert 1 + 1 == 2\n")},
    "helpers: a module that is called so, too": {**changed("server/shop/jobs/git.py", "x = 1\n", "x", "y"), **new("tests/fixes/git.py", "FIXES = ()\n")},
    "set up: no test": new("src/setup.ts", "export const setup = 1\n"),
    "project: a script": changed("pyproject.toml", PROJECT, 'shop = "shop:main"\n', 'shop = "shop:main"\ntest = "shop:test"\n'),
    "project: another entry point": changed("pyproject.toml", PROJECT, "[project.scripts]", '[project.entry-points."shop.plugins"]\nquick = "shop.quick"\n\n[project.scripts]'),
    "types: a value of any type in a mapping": changed("src/money.py", "def total() -> int:\n    return 0\n", "def", "def data() -> dict[str, Any]:\n    return {}\n\n\ndef"),
    "types: words": changed("src/money.ts", "let x\n", "let x\n", "let x\n// as any other\n"),
    "types: cast in a test": new("tests/test_a.py", "from typing import Any, cast\n\n\ndef test_a():\n    assert f(cast(Any, 1))\n"),
    "environment: said in a document": new("README.md", "Set `PYTEST_ADDOPTS=-x`.\n"),
    "environment: of the work": new(".env.example", "SHOP_PORT=80\n"),
    "snapshots: a new one": new("tests/__snapshots__/b.ambr", "1\n"),
    "python: the type of an attribute": python("    def test_empty", "    name: str\n\n    def test_empty"),
    **{f"puts nothing: {line}": beside(line) for line in (
        "def test_b():\n    one = money.One()\n    one.size = 2\n    assert one.double == 4",
        "def test_b(monkeypatch):\n    monkeypatch.setattr(money, 'total', sum)\n    assert money.total([1])",
        "def test_b(monkeypatch):\n    monkeypatch.setitem(money.RATES, 'a', 1)\n    monkeypatch.syspath_prepend('x')\n    assert money.total([1])",
        "def test_b():\n    with pytest.MonkeyPatch.context() as patch:\n        patch.setattr(money, 'total', sum)\n        assert money.total([1])",
        "@mock.patch('money.total', sum)\ndef test_b():\n    assert money.total([1])",
        "@pytest.fixture(scope='session')\ndef shop():\n    with pytest.MonkeyPatch.context() as patch:\n        patch.setenv('SHOP', '1')\n        yield money.Shop()",
        "@pytest.fixture\ndef shop(mocker):\n    mocker.patch('money.total', sum)\n    return money.Shop()",
        "def test_b(editor):\n    editor.answers[money.ASK] = money.HOLD\n    assert editor.ask()",
        "def test_b():\n    seen = list(money.rows())\n    seen.append(1)\n    seen[0] = 2\n    assert seen",
        "def test_b():\n    for row in money.rows():\n        row['a'] = 1\n        assert row",
        "def test_b(db):\n    money.db.session.add(money.One())\n    assert money.db.session.all()",
        "class TestB(unittest.TestCase):\n    def setUp(self):\n        self.patch = mock.patch('money.total', sum)\n        self.patch.start()\n        self.addCleanup(self.patch.stop)",
        "def test_b():\n    assert sorted(vars(money)) == sorted(dir(money))",
    )},
    **{f"ends nothing: {line}": beside(line) for line in (
        "def test_b():\n    with pytest.raises(SystemExit):\n        money.main()",
        "@pytest.mark.parametrize('error', [SystemExit, KeyboardInterrupt])\ndef test_b(error):\n    assert error",
        "def test_b(monkeypatch):\n    def leave(code):\n        raise SystemExit(code)\n\n    monkeypatch.setattr(sys, 'exit', leave)\n    money.main()",
        "def test_b(monkeypatch):\n    import os\n    monkeypatch.setattr(os, '_exit', print)\n    monkeypatch.setattr('os._exit', print)\n    money.main()",
        "@mock.patch('sys.exit')\ndef test_b(leave):\n    money.main()\n    leave.assert_called_once_with(0)",
        "def test_b():\n    with mock.patch.object(sys, 'exit') as leave:\n        money.main()\n    assert leave.called",
        "import os\nimport signal\n\n\ndef test_b(child):\n    os.kill(child.pid, signal.SIGTERM)\n    assert child.wait() == 0",
        "import signal\n\n\ndef test_b():\n    for name in ('SIGINT', 'SIGTERM'):\n        assert getattr(signal, name)",
        "import os\n\n\ndef test_b():\n    assert getattr(os, 'getuid', None)",
        "import faulthandler\nfaulthandler.enable()",
        "import ctypes\n\n\ndef test_b():\n    libc = ctypes.CDLL(None, use_errno=True)\n    assert libc.getpid()",
        "def test_b():\n    assert money.exit(1)\n    money.context.abort()",
        "def test_b(app):\n    app.exit()\n    exit = app.exit\n    assert exit(0)",
        "def main():\n    sys.exit(pytest.main([__file__]))\n\n\nif __name__ == '__main__':\n    main()",
        "if __name__ == '__main__':\n    raise SystemExit(pytest.main([__file__]))",
        "def test_b(client, request):\n    request.session = {'items': 1}\n    assert request.session.items()",
    )},
    "js: a test of what ends a program": new("test/a.test.ts", "const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)\nexpect(process.exit).toHaveBeenCalledWith(1)\nexpect(process?.env.A).toBe('1')\nimport process from 'node:process'\nprocess.exit(1)\n"),
    "js: a list": new("test/a.test.ts", "const { exitCode } = await run()\nconst { exit } = await load()\n"),
    "go: a program that fails": new("a_test.go", 'package money\n\nimport (\n\t"os"\n\t"os/exec"\n)\n\nfunc TestA(t *testing.T) {\n\tif os.Getenv("CHILD") != "" {\n\t\tos.Exit(3)\n\t}\n}\n'),
    "rust: a program that fails": new("tests/a.rs", "use std::process::{Command, ExitStatus};\n\n#[test]\nfn a() {\n    let exit = run();\n    std::process::exit(2);\n}\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", HONEST)
def test_honest_work_does_not_hold(what: str) -> None:
    assert holds(HONEST[what]) == []


def test_a_test_of_go_that_got_the_name_of_a_system_holds() -> None:
    """As git says it of a file that was only renamed."""
    moved = "diff --git a/money_test.go b/money_plan9_test.go\nsimilarity index 100%\nrename from money_test.go\nrename to money_plan9_test.go\n"
    assert [(each.kind, each.holds) for each in changes_to_checks(moved)] == [("deleted-test", True)]
    back = moved.replace("money_plan9_test.go", "sum_test.go")
    assert changes_to_checks(back) == ()


def test_a_module_that_is_renamed_to_what_is_installed_holds() -> None:
    """As git says it of a file that was only renamed."""
    moved = "diff --git a/src/shop/net.py b/requests.py\nsimilarity index 100%\nrename from src/shop/net.py\nrename to requests.py\n"
    around = Around(frozenset(TREE), frozenset(INSTALLED))
    (found,) = changes_to_checks(moved, around=around)
    assert found.holds and found.text == "renamed from src/shop/net.py: stands before the module requests"
    assert (
        changes_to_checks(
            moved.replace("b/requests.py", "b/src/bank.py").replace("to requests", "to src/bank"), around=around
        )
        == ()
    )
