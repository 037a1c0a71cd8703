#pragma once

namespace netloupe {

inline constexpr char kHelperVersion[] = "0.1.0";

}  // namespace netloupe
