// SPDX-License-Identifier: Apache-2.0
#include "capability/key_value/name_lookup.h"

#include <utility>

#include "sandbox/thread.h"

namespace sandgate::capability {

NameLookup::NameLookup() : thread_(sandbox::start_thread("names", [this] { work(); })) {}

NameLookup::~NameLookup() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void NameLookup::ask(std::string host, std::uint16_t port, Loop& loop, Found found) {
  {
    std::lock_guard lock(mutex_);
    questions_.push_back({std::move(host), port, &loop, std::move(found)});
  }
  changed_.notify_one();
}

void NameLookup::work() {
  for (;;) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !questions_.empty(); });
      if (ending_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    Result<net::Address> address = net::resolve(question.host, question.port);
    question.loop->post([found = std::move(question.found), address = std::move(address)] { found(address); });
  }
}

}  // namespace sandgate::capability
