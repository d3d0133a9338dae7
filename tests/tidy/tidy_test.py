#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule can fail: each has a sample that breaks it, and one beside it that does not."""

import unittest

import bans
import layers
import shape
import tidy
from source import Source

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"
LATER = "TO" + "DO"  # in pieces: tidy reads this file too
HOME = "/" + "roo" + "t/"

# (rule, path, text that breaks it, text that does not)
SAMPLES = [
    (layers.includes_of_layers, "src/http/a.cc", '#include "net/listener.h"\n', '#include "base/result.h"\n'),
    (layers.includes_of_layers, "src/base/a.cc", '#include "arena.h"\n', '#include "base/arena.h"\n'),
    (layers.includes_of_layers, "src/gateway/a.cc", '#include "admin/api.h"\n', '#include "http/field.h"\n'),
    (layers.includes_of_layers, "src/gateway/a.cc", '#include "server/server.h"\n', "#include <sandgate/version.h>\n"),
    (layers.includes_of_layers, "src/gateway/a.cc", '#include "net/testing/fake.h"\n', '#include "net/stream.h"\n'),
    (layers.includes_of_layers, "src/gateway/a_test.cc", '#include "admin/api.h"\n', '#include "sandbox/engine.h"\n'),
    (layers.includes_of_layers, "src/unheard_of/a.cc", "", None),
    (layers.includes_from_outside, "src/gateway/a.cc", '#include "sandgate_engine.h"\n', "#include <boost/url.hpp>\n"),
    (layers.includes_from_outside, "src/gateway/a.cc", "#include <boost/asio/post.hpp>\n", "#include <vector>\n"),
    (layers.includes_from_outside, "src/net/a.cc", "#include <boost/json.hpp>\n", "#include <sys/epoll.h>\n"),
    (layers.includes_from_outside, "src/net/a.cc", "#include <boost/beast.hpp>\n", "#include <sys/socket.h>\n"),
    (layers.includes_from_outside, "src/http/a.cc", "#include <sys/socket.h>\n", "#include <sys/types.h>\n"),
    (layers.own_header_first, "src/http/a.cc", '#include <vector>\n#include "http/a.h"\n', '#include "http/a.h"\n#include <vector>\n'),
    (shape.file_sizes, "src/http/a.cc", "//\n" * 601, "//\n" * 600),
    (shape.file_sizes, "src/http/a.h", "//\n" * 301, "//\n" * 300),
    (shape.file_sizes, "src/http/a_test.cc", "//\n" * 801, "//\n" * 800),
    (shape.function_sizes, "src/http/a.cc", "void f() {\n" + "g();\n" * 100 + "}\n", "struct A {\n" + "int a;\n" * 100 + "};\n"),
    (shape.function_sizes, "src/http/a.cc", "A::A() : b_{1}, c_(2) {\n" + "if (a) {\n}\n" * 50 + "}\n", "void f() {\n" + "g();\n" * 60 + "}\n"),
    (shape.function_sizes, "src/http/a.cc", "namespace a {\nint f(int b) const noexcept {\n" + "g();\n" * 100 + "}\n}\n",
     "namespace a {\n" + "int f() {\n}\n" * 60 + "}\n"),
    (shape.licence_line, "src/http/a.cc", "// Apache\n", HEAD),
    (shape.licence_line, "tools/a", "#!/bin/sh\necho\n", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"),
    (shape.licence_line, "wit/a.wit", "package a:b;\n", HEAD),
    (shape.licence_line, "src/http/CMakeLists.txt", "sandgate_library(http)\n", "# SPDX-License-Identifier: Apache-2.0\n"),
    (shape.header_form, "src/http/a.h", HEAD + "#pragma once\n", HEAD + "//\n// What it is.\n#pragma once\n"),
    (shape.header_form, "src/http/a.h", HEAD + "// What it is.\n", HEAD + "\n// What it is.\n#pragma once\n"),
    (shape.whitespace, "README.md", "a \n", "a\n"),
    (shape.whitespace, "README.md", "\ta\n", "  a\n"),
    (shape.whitespace, "README.md", "a\r\n", "a\nb\n"),
    (shape.whitespace, "README.md", "a", "a\n"),
    (shape.whitespace, "README.md", "a\n\n", ""),
    (bans.banned_calls, "src/http/a.cc", "strcpy(a, b);", "a.strcpy(b);  // not strcpy(a, b)"),
    (bans.banned_calls, "src/http/a.cc", "std::sprintf(a, b);", 'call("sprintf(a)");'),
    (bans.banned_calls, "src/http/a.cc", "gets(a);", "widgets(a);"),
    (bans.banned_calls, "src/http/a.cc", "int a = atoi(b);", "std::from_chars(a, b, c);"),
    (bans.banned_calls, "src/http/a.cc", "int a = rand();", "int a = operand();"),
    (bans.banned_calls, "src/http/a.cc", "::system(a);", "file_system(a);"),
    (bans.banned_calls, "tests/support/a.cc", "popen(a, b);", "posix_spawn(a);"),
    (bans.banned_calls, "src/http/a.cc", "strtok(a, b);", "strtok_r(a, b, c);"),
    (bans.banned_calls, "src/http/a.cc", "std::regex a;", "my::regex a;"),
    (bans.banned_calls, "src/http/a.cc", "using namespace std;", "using namespace std_literals;"),
    (bans.banned_calls, "src/http/a.cc", "assert(a);", "static_assert(a);"),
    (bans.streams, "src/http/a.cc", "#include <iostream>\n", "#include <string>\n"),
    (bans.socket_calls, "src/gateway/a.cc", "int a = ::socket(1, 2, 3);", "auto a = tcp::socket(1);"),
    (bans.socket_calls, "src/gateway/a.cc", "::recv(a, b, c, d);", "stream.recv(a);"),
    (bans.clock_reads, "src/net/a.cc", "auto a = std::chrono::steady_clock::now();", "auto a = clock.now();"),
    (bans.clock_reads, "src/net/a.cc", "clock_gettime(CLOCK_REALTIME, &a);", "// clock_gettime(CLOCK_REALTIME, &a);"),
    (bans.clock_reads, "src/net/a.cc", "long a = time(nullptr);", "long a = head.time(0);"),
    (bans.thread_locals, "src/net/a.cc", "thread_local int a;", "int thread_locality;"),
    (bans.awaits_in_conditions, "src/net/a.cc", "if (!co_await a()) b();", "bool c = co_await a();\nif (c) b();"),
    (bans.awaits_in_conditions, "src/net/a.cc", "while (f(co_await a())) {}", "while (true) { co_await a(); }"),
    (bans.awaits_in_conditions, "src/net/a.cc", "f(co_await a(), co_await b());", "co_await a(); co_await b();"),
    (bans.capturing_coroutines, "src/net/a.cc", "spawn([this, a](int b) -> T { co_await c(); });", "spawn([](int b) -> T { co_await c(); });"),
    (bans.capturing_coroutines, "src/net/a.cc", "auto f = [&] { co_return; };", "a[i](b); [[nodiscard]] T g() { co_return; }"),
    (bans.capturing_coroutines, "src/net/a.cc", "auto f = [&](A<int (*)(int)> a) mutable -> T {\nco_yield 1; };",
     "auto f = [&] { return [](int a) -> T { co_return; }(1); };"),
    (bans.forbidden_text, "README.md", f"cd {HOME}x\n", "cd ~/x and see a" + HOME + "b\n"),
    (bans.forbidden_text, "src/http/a.cc", f"// {LATER}: later\n", f"// {LATER}(perf): later\n"),
    (bans.forbidden_text, "tools/a", "#!/bin/sh\n# crates" + ".io\n", "#!/bin/sh\ncargo fetch\n"),
]

README = [Source("src/http/a.cc", HEAD)]
TREE_SAMPLES = [
    (shape.folder_readmes, README, README + [Source("src/http/README.md", "# http\n")]),
    (shape.folder_readmes, README + [Source("src/http/README.md", "a\n" * 11)], README + [Source("src/http/README.md", "a\n" * 10)]),
]


class EveryRuleCanFail(unittest.TestCase):
    def test_samples(self):
        for rule, path, bad, good in SAMPLES:
            with self.subTest(rule=rule.__name__, bad=bad[:60]):
                self.assertTrue([finding for finding in rule(Source(path, bad)) if not finding.warning], "accepts its bad sample")
            if good is not None:
                with self.subTest(rule=rule.__name__, good=good[:60]):
                    self.assertEqual(list(rule(Source(path, good))), [], "refuses its good sample")

    def test_tree_samples(self):
        for rule, bad, good in TREE_SAMPLES:
            with self.subTest(rule=rule.__name__):
                self.assertTrue(list(rule(bad)))
                self.assertEqual(list(rule(good)), [])

    def test_no_rule_is_without_a_sample(self):
        tested = {rule for rule, *_ in SAMPLES} | {rule for rule, *_ in TREE_SAMPLES}
        self.assertEqual({rule.__name__ for rule in tidy.RULES + tidy.TREE_RULES} - {rule.__name__ for rule in tested}, set())

    def test_no_banned_call_is_without_a_sample(self):
        for rule, pattern, _ in bans.CALLS:
            with self.subTest(rule=rule):
                self.assertTrue(any(bad and pattern.search(bad) for check, _, bad, _ in SAMPLES if check is bans.banned_calls) or
                                rule == "hidden-state" and pattern.search("strtok(a, b)"))

    def test_long_functions_warn_before_they_fail(self):
        findings = list(shape.function_sizes(Source("src/http/a.cc", "void f() {\n" + "g();\n" * 80 + "}\n")))
        self.assertEqual([finding.warning for finding in findings], [True])

    def test_layers_have_no_cycle(self):
        for folder in layers.LAYERS:
            self.assertNotIn(folder, layers.below(folder))

    def test_nothing_includes_admin_server_or_cli(self):
        for folder, allowed in layers.LAYERS.items():
            if folder not in ("server", "cli"):
                self.assertEqual({"admin", "server", "cli"} & set(allowed), set(), folder)


if __name__ == "__main__":
    unittest.main()
