// SPDX-License-Identifier: Apache-2.0
#include "modules/attach_points.h"

namespace sandgate::modules {

std::string join_attach_points(const std::vector<AttachPoint>& points) {
  std::string out;
  for (AttachPoint point : points) {
    if (!out.empty()) out += ',';
    out += attach_point_name(point);
  }
  return out;
}

std::optional<std::vector<AttachPoint>> parse_attach_points(std::string_view text) {
  std::vector<AttachPoint> points;
  while (!text.empty()) {
    std::size_t comma = text.find(',');
    std::optional<AttachPoint> point = parse_attach_point(text.substr(0, comma));
    if (!point) return std::nullopt;
    points.push_back(*point);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return points;
}

}  // namespace sandgate::modules
