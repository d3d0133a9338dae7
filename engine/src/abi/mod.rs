// SPDX-License-Identifier: Apache-2.0
//! Guest ABIs: one file each, lift and lower only. What the calls mean for an exchange is C++'s business (`src/abi`).

pub mod router_middleware;
