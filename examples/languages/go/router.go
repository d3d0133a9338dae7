// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"unsafe"
)

// The canonical ABI of the interface sgl:router by hand: what crosses the border are 32-bit addresses and lengths, while Go's own
// strings and slices have 64 bits on wasm. So records are read and written word by word.

type header struct{ name, value string }

type request struct {
	method, path, query string
	headers             []header
	body                []byte
	id                  string
	nowEpochMs          uint64
}

type response struct {
	status  uint16
	headers []header
	body    []byte
}

type kind uint32

const (
	proceed kind = iota
	reject
	modify
)

// What a hook answers. The zero value lets the message pass; a status of 0 and a body of nil change neither.
type action struct {
	kind     kind
	status   uint16
	set, add []header
	remove   []string
	body     []byte
}

//go:wasmexport sgl:router/middleware-on-request#on-request
func exportedOnRequest(method, methodBytes, path, pathBytes, query, queryBytes, headers, headerCount, body, bodyBytes, id, idBytes uint32,
	nowEpochMs uint64) uint32 {
	return lower(onRequest(request{text(method, methodBytes), text(path, pathBytes), text(query, queryBytes), headersAt(headers, headerCount),
		bytesAt(body, bodyBytes), text(id, idBytes), nowEpochMs}))
}

//go:wasmexport sgl:router/middleware-on-response#on-response
func exportedOnResponse(status, headers, headerCount, body, bodyBytes uint32) uint32 {
	return lower(onResponse(response{uint16(status), headersAt(headers, headerCount), bytesAt(body, bodyBytes)}))
}

// The collector asks for the time now and then, and a component may ask the host for nothing while the host asks it for memory. So nothing
// is collected: an instance has 64 MiB, and by default serves one call.
func init() { debug.SetGCPercent(-1) }

// The gateway asks here for memory to put the message into, before it calls a hook.
//
//go:wasmexport cabi_realloc
func allocate(_, _, _, size uint32) uint32 { return addressOf(make([]uint64, size/8+1)) }

// Assigned to, so that what the gateway reads or writes lies on the heap and not on a stack that is gone by then.
var onHeap any

func addressOf[T any](block []T) uint32 {
	if len(block) == 0 {
		return 0
	}
	onHeap = block
	return uint32(uintptr(unsafe.Pointer(&block[0])))
}

func bytesAt(address, length uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(address))), length)
}

func text(address, length uint32) string { return string(bytesAt(address, length)) }

func headersAt(address, count uint32) []header {
	words := unsafe.Slice((*uint32)(unsafe.Pointer(uintptr(address))), 4*count)
	headers := make([]header, count)
	for i := range headers {
		headers[i] = header{text(words[4*i], words[4*i+1]), text(words[4*i+2], words[4*i+3])}
	}
	return headers
}

func lowerText(words []uint32, value string) []uint32 {
	return append(words, addressOf([]byte(value)), uint32(len(value)))
}

func lowerHeaders(words []uint32, headers []header) []uint32 {
	var list []uint32
	for _, header := range headers {
		list = lowerText(lowerText(list, header.name), header.value)
	}
	return append(words, addressOf(list), uint32(len(headers)))
}

func lower(action action) uint32 {
	if action.kind != modify {
		return addressOf([]uint32{uint32(action.kind), uint32(action.status), 0, 0, 0, 0, 0, 0, 0, 0, 0})
	}
	words := []uint32{uint32(modify), 0}
	if action.status != 0 {
		words[1] = 1 | uint32(action.status)<<16 // option<u16>: a byte that says there is one, then the number at the next even address
	}
	words = lowerHeaders(lowerHeaders(words, action.set), action.add)
	var list []uint32
	for _, name := range action.remove {
		list = lowerText(list, name)
	}
	words = append(words, addressOf(list), uint32(len(action.remove)))
	if action.body == nil {
		return addressOf(append(words, 0, 0, 0))
	}
	return addressOf(append(words, 1, addressOf(action.body), uint32(len(action.body))))
}
