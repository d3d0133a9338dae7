// SPDX-License-Identifier: Apache-2.0
//
// The engine's callbacks: its records in our words, to the InstanceHost that the instance was made with (`user`).
#pragma once

#include "sandgate_engine.h"

namespace sandgate::sandbox {

// `user` is an InstanceHost*, or null: then lines are dropped and stores refused.
void on_guest_line(void* user, const sg_log_line* line);
void on_guest_key_value(void* user, const sg_key_value_request* request, sg_key_value_completion* completion);

}  // namespace sandgate::sandbox
