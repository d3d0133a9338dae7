// SPDX-License-Identifier: Apache-2.0
//
// Requests that servers and proxies have read differently, and what the codec makes of each: smuggling by framing, line
// ends, white space, chunk syntax, start lines, targets and Host (RFC 9112 and 9110; the public advisories of llhttp,
// Beast, nginx, haproxy, Tomcat and others).
#pragma once

#include <array>
#include <string_view>

namespace sandgate::http::testing {

struct Message {
  std::string_view name;
  std::string_view bytes;
  // A status: the first head is refused with it. "broken": the first head is accepted and its body is refused. Else the
  // transcript.
  std::string_view expected;
};

using namespace std::string_view_literals;

// clang-format off: one case, one line.
// The line ends and Host that a case is not about.
#define GET_LINE "GET / HTTP/1.1\r\n"
#define POST_LINE "POST / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define CHUNKED POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_LINE "POST a / 1.1 {Host=a} {Transfer-Encoding=chunked} chunked"

inline constexpr auto kRefusedFraming = std::to_array<Message>({
    {"Content-Length and Transfer-Encoding", POST_LINE HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding and Content-Length", POST_LINE HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"sv, "400"},
    {"unknown coding and Content-Length", POST_LINE HOST "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"sv, "400"},
    {"Content-Length twice, equal", POST_LINE HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"sv, "400"},
    {"Content-Length twice, different", POST_LINE HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"sv, "400"},
    {"Content-Length list", POST_LINE HOST "Content-Length: 3, 3\r\n\r\nabc"sv, "400"},
    {"Content-Length with comma", POST_LINE HOST "Content-Length: 3,\r\n\r\nabc"sv, "400"},
    {"Content-Length with plus", POST_LINE HOST "Content-Length: +3\r\n\r\nabc"sv, "400"},
    {"Content-Length with minus", POST_LINE HOST "Content-Length: -3\r\n\r\nabc"sv, "400"},
    {"Content-Length in hex", POST_LINE HOST "Content-Length: 0x3\r\n\r\nabc"sv, "400"},
    {"Content-Length with a space inside", POST_LINE HOST "Content-Length: 1 2\r\n\r\nabc"sv, "400"},
    {"Content-Length with a fraction", POST_LINE HOST "Content-Length: 3.0\r\n\r\nabc"sv, "400"},
    {"Content-Length with a parameter", POST_LINE HOST "Content-Length: 3;\r\n\r\nabc"sv, "400"},
    {"Content-Length in quotes", POST_LINE HOST "Content-Length: \"3\"\r\n\r\nabc"sv, "400"},
    {"Content-Length in other digits", POST_LINE HOST "Content-Length: \xd9\xa3\r\n\r\nabc"sv, "400"},
    {"Content-Length empty", POST_LINE HOST "Content-Length:\r\n\r\n"sv, "400"},
    {"Content-Length of 19 digits", POST_LINE HOST "Content-Length: 0000000000000000003\r\n\r\nabc"sv, "400"},
    {"Content-Length over 64 bits", POST_LINE HOST "Content-Length: 18446744073709551619\r\n\r\nabc"sv, "400"},
    {"coding gzip", POST_LINE HOST "Transfer-Encoding: gzip\r\n\r\n"sv, "501"},
    {"coding xchunked", POST_LINE HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"sv, "501"},
    {"coding chunkedx", POST_LINE HOST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"sv, "501"},
    {"coding identity", POST_LINE HOST "Transfer-Encoding: identity\r\n\r\n"sv, "501"},
    {"codings gzip, chunked", POST_LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"sv, "501"},
    {"codings chunked, gzip", POST_LINE HOST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"sv, "400"},
    {"codings chunked, identity", POST_LINE HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"sv, "400"},
    {"codings chunked, chunked", POST_LINE HOST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"codings chunked, gzip, chunked", POST_LINE HOST "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"codings with an empty element first", POST_LINE HOST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"codings with an empty element last", POST_LINE HOST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"sv, "400"},
    {"coding with a parameter", POST_LINE HOST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"sv, "400"},
    {"coding in quotes", POST_LINE HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"sv, "400"},
    {"coding empty", POST_LINE HOST "Transfer-Encoding:\r\n\r\n"sv, "400"},
    {"codings without comma", POST_LINE HOST "Transfer-Encoding: chunked chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding twice", POST_LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding twice, one unknown", POST_LINE HOST "Transfer-Encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding in 1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding folded", POST_LINE HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding folded after the value", POST_LINE HOST "Transfer-Encoding: chunked\r\n , gzip\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding with space before colon", POST_LINE HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Transfer-Encoding with tab before colon", POST_LINE HOST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"Content-Length with space before colon", POST_LINE HOST "Content-Length : 3\r\n\r\nabc"sv, "400"},
    {"vertical tab before the coding", POST_LINE HOST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"form feed after the coding", POST_LINE HOST "Transfer-Encoding: chunked\f\r\n\r\n0\r\n\r\n"sv, "400"},
    {"vertical tab in the field name", POST_LINE HOST "Content-Length\v: 3\r\n\r\nabc"sv, "400"},
    {"NUL in the field name", POST_LINE HOST "Transfer\0-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"no-break space after the coding", POST_LINE HOST "Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n"sv, "400"},
    {"CONNECT with a body", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 3\r\n\r\nabc"sv, "400"},
    {"CONNECT with chunks", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
});

inline constexpr auto kRefusedLines = std::to_array<Message>({
    {"all lines end in LF", "GET / HTTP/1.1\nHost: a\n\n"sv, "400"},
    {"request line ends in LF", "GET / HTTP/1.1\n" HOST "\r\n"sv, "400"},
    {"one field line ends in LF", GET_LINE "Host: a\nX: y\r\n\r\n"sv, "400"},
    {"LF hides Transfer-Encoding", POST_LINE HOST "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"CR hides Transfer-Encoding", POST_LINE HOST "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, "400"},
    {"the head ends in CRLF LF", GET_LINE HOST "\n"sv, "400"},
    {"the head ends in CRLF CR X", GET_LINE HOST "\rX: y\r\n\r\n"sv, "400"},
    {"the head ends in LF CRLF", GET_LINE "Host: a\n\r\n"sv, "400"},
    {"the head ends in CR CR", "GET / HTTP/1.1\rHost: a\r\r"sv, "400"},
    {"CR CR LF", GET_LINE "Host: a\r\r\n\r\n"sv, "400"},
    {"no version, LF, and Content-Length", "POST /\nHost: a\nContent-Length: 3\n\nabc"sv, "400"},
    {"two empty lines first", "\r\n\r\n" GET_LINE HOST "\r\n"sv, "400"},
    {"bare LF first", "\n" GET_LINE HOST "\r\n"sv, "400"},
    {"space first", " " GET_LINE HOST "\r\n"sv, "400"},
    {"NUL in a value", GET_LINE HOST "X: a\0b\r\n\r\n"sv, "400"},
    {"DEL in a value", GET_LINE HOST "X: a\x7f" "b\r\n\r\n"sv, "400"},
    {"ESC in a value", GET_LINE HOST "X: \x1b[2J\r\n\r\n"sv, "400"},
    {"field folded with a space", GET_LINE HOST "X: a\r\n b\r\n\r\n"sv, "400"},
    {"field folded with a tab", GET_LINE HOST "X: a\r\n\tb\r\n\r\n"sv, "400"},
    {"first field line begins with a space", GET_LINE " Host: a\r\n\r\n"sv, "400"},
    {"a line of a space", GET_LINE HOST " \r\n\r\n"sv, "400"},
    {"no field name", GET_LINE HOST ": x\r\n\r\n"sv, "400"},
    {"no colon", GET_LINE HOST "X\r\n\r\n"sv, "400"},
    {"space in a field name", GET_LINE HOST "X Y: z\r\n\r\n"sv, "400"},
    {"space before the colon", GET_LINE "Host : a\r\n\r\n"sv, "400"},
    {"parenthesis in a field name", GET_LINE HOST "X(Y): z\r\n\r\n"sv, "400"},
    {"non-ASCII field name", GET_LINE HOST "X\xc3\xa9: z\r\n\r\n"sv, "400"},
    {"a second request line among the fields", GET_LINE HOST "GET /b HTTP/1.1\r\n\r\n"sv, "400"},
});

inline constexpr auto kRefusedStartLines = std::to_array<Message>({
    {"two spaces after the method", "GET  / HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"space after the version", "GET / HTTP/1.1 \r\n" HOST "\r\n"sv, "400"},
    {"tab after the method", "GET\t/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"tab before the version", "GET /\tHTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"no version", "GET /\r\n" HOST "\r\n"sv, "400"},
    {"no version but the space", "GET / \r\n" HOST "\r\n"sv, "400"},
    {"no target", "GET HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"nothing but a method", "GET\r\n" HOST "\r\n"sv, "400"},
    {"no method", "/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"method no token", "GE(T / HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"method of 33 bytes", "GETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\n" HOST "\r\n"sv, "501"},
    {"version 1.10", "GET / HTTP/1.10\r\n" HOST "\r\n"sv, "400"},
    {"version 1", "GET / HTTP/1\r\n" HOST "\r\n"sv, "400"},
    {"version 1.", "GET / HTTP/1.\r\n" HOST "\r\n"sv, "400"},
    {"version 01.1", "GET / HTTP/01.1\r\n" HOST "\r\n"sv, "400"},
    {"version in lower case", "GET / http/1.1\r\n" HOST "\r\n"sv, "400"},
    {"version of another protocol", "GET / ICY/1.1\r\n" HOST "\r\n"sv, "400"},
    {"version with plus", "GET / HTTP/+1.1\r\n" HOST "\r\n"sv, "400"},
    {"version with comma", "GET / HTTP/1,1\r\n" HOST "\r\n"sv, "400"},
    {"version 2.0", "GET / HTTP/2.0\r\n" HOST "\r\n"sv, "505"},
    {"version 0.9", "GET / HTTP/0.9\r\n" HOST "\r\n"sv, "505"},
    {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, "505"},
    {"TLS", "\x16\x03\x01\x02\x00\x01\x00"sv, "400"},
    {"space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"non-ASCII target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"target without slash", "GET a HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"target is a query", "GET ?a HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"target is an authority", "GET a:80 HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"target * with GET", "GET * HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"target *x with OPTIONS", "OPTIONS *x HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"scheme ftp", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"scheme file", "GET file:///etc/passwd HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"scheme with one slash", "GET http:/a HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"userinfo in the target", "GET http://u:p@a/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"no authority in the target", "GET http:///a HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"backslash ends the authority", "GET http://a\\b/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"CONNECT to a path", "CONNECT / HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"CONNECT without port", "CONNECT a HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
    {"CONNECT to a URL", "CONNECT http://a/ HTTP/1.1\r\n" HOST "\r\n"sv, "400"},
});

inline constexpr auto kRefusedHosts = std::to_array<Message>({
    {"no Host", GET_LINE "\r\n"sv, "400"},
    {"no Host with an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n"sv, "400"},
    {"Host twice, equal", GET_LINE HOST HOST "\r\n"sv, "400"},
    {"Host twice, different", GET_LINE HOST "Host: b\r\n\r\n"sv, "400"},
    {"Host twice with an absolute target", "GET http://a/ HTTP/1.1\r\n" HOST HOST "\r\n"sv, "400"},
    {"Host twice in 1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n"sv, "400"},
    {"Host empty", GET_LINE "Host:\r\n\r\n"sv, "400"},
    {"Host malformed with an absolute target", "GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n"sv, "400"},
    {"Host with a path", GET_LINE "Host: a/b\r\n\r\n"sv, "400"},
    {"Host with userinfo", GET_LINE "Host: u@a\r\n\r\n"sv, "400"},
    {"Host with a space", GET_LINE "Host: a b\r\n\r\n"sv, "400"},
    {"Host with a list", GET_LINE "Host: a,b\r\n\r\n"sv, "400"},
    {"Host with a scheme", GET_LINE "Host: http://a\r\n\r\n"sv, "400"},
    {"Host with an empty port", GET_LINE "Host: a:\r\n\r\n"sv, "400"},
    {"Host with a named port", GET_LINE "Host: a:http\r\n\r\n"sv, "400"},
    {"Host with two ports", GET_LINE "Host: a:80:80\r\n\r\n"sv, "400"},
    {"Host with port 65536", GET_LINE "Host: a:65536\r\n\r\n"sv, "400"},
    {"Host with a percent sign", GET_LINE "Host: a%2fb\r\n\r\n"sv, "400"},
    {"Host with an open bracket", GET_LINE "Host: [::1\r\n\r\n"sv, "400"},
    {"Host with text after the bracket", GET_LINE "Host: [::1]a\r\n\r\n"sv, "400"},
});

inline constexpr auto kRefusedChunks = std::to_array<Message>({
    {"chunk size in 0x", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with space before", CHUNKED " 3\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with space after", CHUNKED "3 \r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with tab after", CHUNKED "3\t\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with space before the extension", CHUNKED "3 ;a\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with plus", CHUNKED "+3\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with minus", CHUNKED "-1\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with underscore", CHUNKED "0_3\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size with a comma", CHUNKED "3,3\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size missing", CHUNKED "\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size missing before an extension", CHUNKED ";a\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size of 17 digits", CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size over 64 bits", CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size of 64 bits", CHUNKED "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size over 2^62", CHUNKED "4000000000000001\r\nabc"sv, "broken"},
    {"chunk size ends in LF", CHUNKED "3\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size ends in CR", CHUNKED "3\rabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk size ends in CR CR LF", CHUNKED "3\r\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"NUL after the chunk size", CHUNKED "3\0\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"extension ends in LF", CHUNKED "3;a\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"extension hides a CR", CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"extension with a control byte", CHUNKED "3;a=\x01\r\nabc\r\n0\r\n\r\n"sv, "broken"},
    {"chunk not followed by CRLF", CHUNKED "3\r\nabc0\r\n\r\n"sv, "broken"},
    {"chunk longer than its size", CHUNKED "3\r\nabcd\r\n0\r\n\r\n"sv, "broken"},
    {"chunk followed by LF", CHUNKED "3\r\nabc\n0\r\n\r\n"sv, "broken"},
    {"chunk followed by CR", CHUNKED "3\r\nabc\r0\r\n\r\n"sv, "broken"},
    {"chunk followed by two bytes", CHUNKED "3\r\nabcXX0\r\n\r\n"sv, "broken"},
    {"last chunk ends in LF", CHUNKED "0\n\r\n"sv, "broken"},
    {"body ends in LF", CHUNKED "0\r\n\n"sv, "broken"},
    {"body ends in CR X", CHUNKED "0\r\n\rX"sv, "broken"},
    {"trailer without colon", CHUNKED "0\r\nX\r\n\r\n"sv, "broken"},
    {"trailer without name", CHUNKED "0\r\n: x\r\n\r\n"sv, "broken"},
    {"trailer with space before the colon", CHUNKED "0\r\nX : y\r\n\r\n"sv, "broken"},
    {"trailer folded", CHUNKED "0\r\nX: y\r\n z\r\n\r\n"sv, "broken"},
    {"trailer ends in LF", CHUNKED "0\r\nX: y\n\r\n"sv, "broken"},
    {"trailer with NUL", CHUNKED "0\r\nX: \0\r\n\r\n"sv, "broken"},
    {"request line among the trailers", CHUNKED "0\r\nGET /b HTTP/1.1\r\n\r\n"sv, "broken"},
});

inline constexpr auto kAccepted = std::to_array<Message>({
    {"plain", GET_LINE HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\n"},
    {"one empty line first", "\r\n" GET_LINE HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\n"},
    {"unknown method", "BREW /pot HTTP/1.1\r\n" HOST "\r\n"sv, "BREW a /pot 1.1 {Host=a} none []\n"},
    {"method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n"sv, "get a / 1.1 {Host=a} none []\n"},
    {"method with punctuation", "M-SEARCH / HTTP/1.1\r\n" HOST "\r\n"sv, "M-SEARCH a / 1.1 {Host=a} none []\n"},
    {"version 1.0 without Host", "GET / HTTP/1.0\r\n\r\n"sv, "GET  / 1.0 none []\n"},
    {"version 1.0 with Host", "GET / HTTP/1.0\r\n" HOST "\r\n"sv, "GET a / 1.0 {Host=a} none []\n"},
    {"version 1.2", "GET / HTTP/1.2\r\n" HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\n"},
    {"query", "GET /a?b=c?d&e=/f HTTP/1.1\r\n" HOST "\r\n"sv, "GET a /a?b=c?d&e=/f 1.1 {Host=a} none []\n"},
    {"empty query", "GET /a? HTTP/1.1\r\n" HOST "\r\n"sv, "GET a /a? 1.1 {Host=a} none []\n"},
    {"odd bytes in the target", "GET /{a}|\"<>^`\\ HTTP/1.1\r\n" HOST "\r\n"sv, "GET a /{a}|\"<>^`\\ 1.1 {Host=a} none []\n"},
    {"two slashes are a path", "GET //a/b HTTP/1.1\r\n" HOST "\r\n"sv, "GET a //a/b 1.1 {Host=a} none []\n"},
    {"absolute target", "GET http://b:81/x?y HTTP/1.1\r\n" HOST "\r\n"sv, "GET b:81 /x?y 1.1 {Host=b:81} none []\n"},
    {"absolute target, scheme in upper case", "GET HTTPS://a/ HTTP/1.1\r\n" HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\n"},
    {"absolute target without path", "GET http://a HTTP/1.1\r\n" HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\n"},
    {"absolute target with query only", "GET http://a?b HTTP/1.1\r\n" HOST "\r\n"sv, "GET a /?b 1.1 {Host=a} none []\n"},
    {"absolute target in 1.0", "GET http://a/ HTTP/1.0\r\n\r\n"sv, "GET a / 1.0 none []\n"},
    {"absolute target of OPTIONS for the server", "OPTIONS http://a HTTP/1.1\r\n" HOST "\r\n"sv, "OPTIONS a * 1.1 {Host=a} none []\n"},
    {"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"sv, "OPTIONS a * 1.1 {Host=a} none []\n"},
    {"CONNECT", "CONNECT b:443 HTTP/1.1\r\n" HOST "\r\nrest"sv, "CONNECT b:443  1.1 {Host=b:443} none then [rest]\n"},
    {"Host in IPv6", GET_LINE "Host: [::1]:80\r\n\r\n"sv, "GET [::1]:80 / 1.1 {Host=[::1]:80} none []\n"},
    {"field without space", GET_LINE "Host:a\r\nX:\r\n\r\n"sv, "GET a / 1.1 {Host=a} {X=} none []\n"},
    {"blanks around a value", GET_LINE HOST "X: \t y\tz \t\r\n\r\n"sv, "GET a / 1.1 {Host=a} {X=y\tz} none []\n"},
    {"tabs in a long value", GET_LINE HOST "X: 0123456789abcdef\t0123456789abcdef\t\t0123456789abcdef\r\n\r\n"sv, "GET a / 1.1 {Host=a} {X=0123456789abcdef\t0123456789abcdef\t\t0123456789abcdef} none []\n"},
    {"bytes above ASCII in a value", GET_LINE HOST "X: \xc3\xa9\xff\r\n\r\n"sv, "GET a / 1.1 {Host=a} {X=\xc3\xa9\xff} none []\n"},
    {"every tchar", GET_LINE HOST "!#$%&'*+-.^_`|~09azAZ: y\r\n\r\n"sv, "GET a / 1.1 {Host=a} {!#$%&'*+-.^_`|~09azAZ=y} none []\n"},
    {"underscore instead of hyphen", POST_LINE HOST "Content_Length: 3\r\n\r\n"sv, "POST a / 1.1 {Host=a} {Content_Length=3} none []\n"},
    {"Content-Length 0", POST_LINE HOST "Content-Length: 0\r\n\r\n"sv, "POST a / 1.1 {Host=a} {Content-Length=0} length 0 []\n"},
    {"Content-Length with blanks around", POST_LINE HOST "content-length: \t 3 \t\r\n\r\nabc"sv, "POST a / 1.1 {Host=a} {content-length=3} length 3 [abc]\n"},
    {"Content-Length with zeros", POST_LINE HOST "Content-Length: 003\r\n\r\nabc"sv, "POST a / 1.1 {Host=a} {Content-Length=003} length 3 [abc]\n"},
    {"Content-Length cut off", POST_LINE HOST "Content-Length: 4\r\n\r\nabc"sv, "POST a / 1.1 {Host=a} {Content-Length=4} length 4 [abc] unfinished\n"},
    {"two requests", POST_LINE HOST "Content-Length: 3\r\n\r\nabc" GET_LINE HOST "\r\n"sv, "POST a / 1.1 {Host=a} {Content-Length=3} length 3 [abc]\nGET a / 1.1 {Host=a} none []\n"},
    {"an empty line between two requests", GET_LINE HOST "\r\n\r\n" GET_LINE HOST "\r\n"sv, "GET a / 1.1 {Host=a} none []\nGET a / 1.1 {Host=a} none []\n"},
    {"the next request is refused", GET_LINE HOST "\r\nGET\r\n\r\n"sv, "GET a / 1.1 {Host=a} none []\nrefused 400: the request line is malformed; send `METHOD TARGET HTTP/1.1` with single spaces\n"},
    {"a head cut off", GET_LINE HOST "X"sv, "unfinished head\n"},
    {"chunks", CHUNKED "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"sv, CHUNKED_LINE " [abc0123456789]\n"},
    {"chunks and a request", CHUNKED "1\r\na\r\n0\r\n\r\n" GET_LINE HOST "\r\n"sv, CHUNKED_LINE " [a]\nGET a / 1.1 {Host=a} none []\n"},
    {"no chunk but the last", CHUNKED "000\r\n\r\n"sv, CHUNKED_LINE " []\n"},
    {"chunk that looks like a frame", CHUNKED "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"sv, CHUNKED_LINE " [\r\n0\r\n\r\n]\n"},
    {"chunk size of 16 digits", CHUNKED "000000000000000a\r\n0123456789\r\n0\r\n\r\n"sv, CHUNKED_LINE " [0123456789]\n"},
    {"extensions", CHUNKED "3;a=\"b\";c\r\nabc\r\n0;d\r\n\r\n"sv, CHUNKED_LINE " [abc]\n"},
    {"trailers", CHUNKED "0\r\nGrpc-Status: 0\r\nX:y\r\n\r\n"sv, CHUNKED_LINE " [] trailers {Grpc-Status=0} {X=y}\n"},
    {"trailers that frame, route or authenticate", CHUNKED "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\nAuthorization: c\r\nX-Forwarded-For: d\r\n\r\n"sv, CHUNKED_LINE " []\n"},
    {"coding in capitals", POST_LINE HOST "TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n"sv, "POST a / 1.1 {Host=a} {TRANSFER-ENCODING=CHUNKED} chunked []\n"},
    {"chunks cut off", CHUNKED "5\r\nabc"sv, CHUNKED_LINE " [abc] unfinished\n"},
    {"GET with a body", GET_LINE HOST "Content-Length: 3\r\n\r\nabc"sv, "GET a / 1.1 {Host=a} {Content-Length=3} length 3 [abc]\n"},
});

// clang-format on
#undef GET_LINE
#undef POST_LINE
#undef HOST
#undef CHUNKED
#undef CHUNKED_LINE

// Calls `visit` with every message.
template <typename Visit>
void for_each_request(Visit&& visit) {
  for (const Message& message : kRefusedFraming) visit(message);
  for (const Message& message : kRefusedLines) visit(message);
  for (const Message& message : kRefusedStartLines) visit(message);
  for (const Message& message : kRefusedHosts) visit(message);
  for (const Message& message : kRefusedChunks) visit(message);
  for (const Message& message : kAccepted) visit(message);
}

}  // namespace sandgate::http::testing
