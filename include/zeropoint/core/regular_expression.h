// RegularExpression: patterns for names, without exceptions and in linear time.
//
// Not std::regex, for two reasons. It throws at a bad pattern, and what selects
// nodes is compiled without exceptions. And it matches by recursion, a frame a
// character, so that a node with a name of a megabyte, which any model may
// have, overflows the stack. This one follows all ways through the pattern at
// once: time is the product of both lengths, whatever they hold.
#ifndef ZEROPOINT_CORE_REGULAR_EXPRESSION_H_
#define ZEROPOINT_CORE_REGULAR_EXPRESSION_H_

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zeropoint/core/status.h"

namespace zeropoint {

namespace internal {

/// One step of a program. Targets are relative, so that programs can be joined
/// and repeated by copying.
struct RegexStep {
  enum class Kind { kByte, kSplit, kJump, kBegin, kEnd };
  Kind kind = Kind::kJump;
  std::ptrdiff_t first = 1;  // kSplit, kJump
  std::ptrdiff_t second = 1;
  std::bitset<256> bytes;  // kByte
};
using RegexProgram = std::vector<RegexStep>;

/// Compiles by recursive descent, one method a level of the grammar.
class RegexParser {
 public:
  explicit RegexParser(std::string_view text) : text_(text) {}

  Result<RegexProgram> Parse() {
    ZEROPOINT_ASSIGN_OR_RETURN(RegexProgram program, Alternatives(0));
    if (at_ < text_.size()) return Wrong("an unmatched ')'");
    return program;
  }

 private:
  static constexpr std::size_t kMostSteps = 10'000;
  static constexpr int kDeepestGroup = 100;
  using Kind = RegexStep::Kind;

  bool Done() const { return at_ == text_.size(); }
  bool Take(char c) {
    if (Done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Wrong(std::string_view what) const {
    return InvalidArgument("regular expression '" + std::string(text_) +
                           "': " + std::string(what) + " at position " +
                           std::to_string(at_ + 1));
  }

  static void Append(RegexProgram& program, const RegexProgram& more) {
    program.insert(program.end(), more.begin(), more.end());
  }
  static RegexStep Split(std::size_t first, std::size_t second) {
    return {Kind::kSplit,
            static_cast<std::ptrdiff_t>(first),
            static_cast<std::ptrdiff_t>(second),
            {}};
  }

  // a|b
  Result<RegexProgram> Alternatives(int depth) {
    if (depth > kDeepestGroup) return Wrong("groups are nested too deep");
    ZEROPOINT_ASSIGN_OR_RETURN(RegexProgram left, Sequence(depth));
    while (Take('|')) {
      ZEROPOINT_ASSIGN_OR_RETURN(const RegexProgram right, Sequence(depth));
      left.push_back(
          {Kind::kJump, static_cast<std::ptrdiff_t>(right.size()) + 1, 1, {}});
      left.insert(left.begin(), Split(1, left.size() + 1));
      Append(left, right);
    }
    return left;
  }

  // abc
  Result<RegexProgram> Sequence(int depth) {
    RegexProgram program;
    while (!Done() && text_[at_] != '|' && text_[at_] != ')') {
      ZEROPOINT_ASSIGN_OR_RETURN(const RegexProgram next, Repeated(depth));
      Append(program, next);
      if (program.size() > kMostSteps) return Wrong("the pattern is too large");
    }
    return program;
  }

  // a* a+ a? a{2} a{2,} a{2,5}
  Result<RegexProgram> Repeated(int depth) {
    ZEROPOINT_ASSIGN_OR_RETURN(RegexProgram atom, Atom(depth));
    for (;;) {
      std::size_t least = 0;
      std::optional<std::size_t> most;
      if (Take('+')) {
        least = 1;
      } else if (Take('?')) {
        most = 1;
      } else if (Take('{')) {
        ZEROPOINT_ASSIGN_OR_RETURN(least, Count());
        most = least;
        if (Take(',')) {
          most.reset();
          if (!Done() && text_[at_] != '}') {
            ZEROPOINT_ASSIGN_OR_RETURN(most, Count());
          }
        }
        if (!Take('}')) return Wrong("'{' without '}'");
        if (most && *most < least) return Wrong("a count that runs backwards");
      } else if (!Take('*')) {
        return atom;
      }
      if ((most.value_or(least) + 1) * (atom.size() + 2) > kMostSteps) {
        return Wrong("the pattern is too large");
      }
      atom = Repeat(atom, least, most);
    }
  }

  Result<std::size_t> Count() {
    std::size_t value = 0;
    const std::size_t begin = at_;
    while (!Done() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
      if (value > kMostSteps) return Wrong("a count that is too large");
    }
    if (at_ == begin) return Wrong("a number is missing");
    return value;
  }

  static RegexProgram Repeat(const RegexProgram& atom, std::size_t least,
                             std::optional<std::size_t> most) {
    RegexProgram program;
    for (std::size_t i = 0; i < least; ++i) Append(program, atom);
    if (!most) {
      program.push_back(Split(1, atom.size() + 2));
      Append(program, atom);
      program.push_back(
          {Kind::kJump, -static_cast<std::ptrdiff_t>(atom.size()) - 1, 1, {}});
      return program;
    }
    for (std::size_t i = least; i < *most; ++i) {
      program.push_back(Split(1, atom.size() + 1));
      Append(program, atom);
    }
    return program;
  }

  Result<RegexProgram> Atom(int depth) {
    const char c = text_[at_];
    if (c == '*' || c == '+' || c == '?' || c == '{') {
      return Wrong("there is nothing to repeat");
    }
    ++at_;
    RegexStep step;
    step.kind = Kind::kByte;
    switch (c) {
      case '^':
        step.kind = Kind::kBegin;
        break;
      case '$':
        step.kind = Kind::kEnd;
        break;
      case '.':
        step.bytes.set();
        break;
      case '[': {
        ZEROPOINT_ASSIGN_OR_RETURN(step.bytes, Class());
        break;
      }
      case '(': {
        if (text_.substr(at_, 2) == "?:") at_ += 2;
        ZEROPOINT_ASSIGN_OR_RETURN(RegexProgram group, Alternatives(depth + 1));
        if (!Take(')')) return Wrong("'(' without ')'");
        return group;
      }
      case '\\': {
        ZEROPOINT_ASSIGN_OR_RETURN(step.bytes, Escape());
        break;
      }
      default:
        step.bytes.set(static_cast<unsigned char>(c));
    }
    return RegexProgram{step};
  }

  static std::bitset<256> Range(char first, char last) {
    std::bitset<256> bytes;
    for (auto c = static_cast<unsigned>(static_cast<unsigned char>(first));
         c <= static_cast<unsigned char>(last); ++c) {
      bytes.set(c);
    }
    return bytes;
  }

  // What follows a backslash: a class, or a character that means itself.
  Result<std::bitset<256>> Escape() {
    if (Done()) return Wrong("a character is missing after '\\'");
    const char c = text_[at_++];
    const auto digits = Range('0', '9');
    const auto word = digits | Range('a', 'z') | Range('A', 'Z') | One('_');
    const auto space = Range('\t', '\r') | One(' ');
    switch (c) {
      case 'd':
        return digits;
      case 'D':
        return ~digits;
      case 'w':
        return word;
      case 'W':
        return ~word;
      case 's':
        return space;
      case 'S':
        return ~space;
      case 't':
        return One('\t');
      case 'n':
        return One('\n');
      default:
        break;
    }
    if (word[static_cast<unsigned char>(c)]) {
      --at_;
      return Wrong(R"-(an unknown escape (known: \d \w \s \D \W \S))-");
    }
    return One(c);
  }
  static std::bitset<256> One(char c) { return Range(c, c); }

  // [a-z_] [^/]; a ']' right at the front means itself.
  Result<std::bitset<256>> Class() {
    std::bitset<256> bytes;
    const bool negated = Take('^');
    for (bool first = true; first || !Take(']'); first = false) {
      if (Done()) return Wrong("'[' without ']'");
      char c = text_[at_++];
      if (c == '\\') {
        ZEROPOINT_ASSIGN_OR_RETURN(const std::bitset<256> escaped, Escape());
        bytes |= escaped;
        if (escaped.count() > 1) continue;
        c = text_[at_ - 1];
        if (c == 't') c = '\t';
        if (c == 'n') c = '\n';
      }
      char last = c;
      if (at_ + 1 < text_.size() && text_[at_] == '-' &&
          text_[at_ + 1] != ']') {
        last = text_[at_ + 1];
        at_ += 2;
        if (static_cast<unsigned char>(last) < static_cast<unsigned char>(c)) {
          return Wrong("a range that runs backwards");
        }
      }
      bytes |= Range(c, last);
    }
    return negated ? ~bytes : bytes;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace internal

/// A compiled pattern: characters, `.`, classes `[a-z]` `[^/]`, `\d \w \s` and
/// their opposites, groups, `|`, `* + ?`, `{2,5}`, `^` and `$`. A backslash
/// takes the meaning from any other character. Bytes, not code points.
class RegularExpression {
 public:
  /// Errors: kInvalidArgument with the position of what is wrong.
  static Result<RegularExpression> Compile(std::string_view text) {
    ZEROPOINT_ASSIGN_OR_RETURN(internal::RegexProgram program,
                               internal::RegexParser(text).Parse());
    return RegularExpression(std::move(program));
  }

  /// Whether the pattern occurs anywhere in `text`; `^` and `$` tie it to the
  /// ends.   Cost: O(|text| * |pattern|), no recursion.
  bool FindIn(std::string_view text) const {
    std::vector<std::size_t> now;
    std::vector<std::size_t> next;
    std::vector<std::size_t> reached(program_.size() + 1, kNever);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      if (Follow(0, at, text.size(), reached, now)) return true;
      if (at == text.size()) break;
      const auto byte = static_cast<unsigned char>(text[at]);
      next.clear();
      for (const std::size_t step : now) {
        if (program_[step].bytes[byte] &&
            Follow(step + 1, at + 1, text.size(), reached, next)) {
          return true;
        }
      }
      std::swap(now, next);
    }
    return false;
  }

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);

  explicit RegularExpression(internal::RegexProgram program)
      : program_(std::move(program)) {}

  /// Adds to `list` the byte steps that `step` leads to without reading
  /// anything; true when it leads to the end. `reached` holds where each step
  /// was last reached.
  bool Follow(std::size_t step, std::size_t at, std::size_t end,
              std::vector<std::size_t>& reached,
              std::vector<std::size_t>& list) const {
    using Kind = internal::RegexStep::Kind;
    std::vector<std::size_t> stack = {step};
    while (!stack.empty()) {
      step = stack.back();
      stack.pop_back();
      if (step == program_.size()) return true;
      if (reached[step] == at) continue;
      reached[step] = at;
      const internal::RegexStep& each = program_[step];
      const auto from = static_cast<std::ptrdiff_t>(step);
      switch (each.kind) {
        case Kind::kByte:
          list.push_back(step);
          break;
        case Kind::kSplit:
          stack.push_back(static_cast<std::size_t>(from + each.second));
          [[fallthrough]];
        case Kind::kJump:
          stack.push_back(static_cast<std::size_t>(from + each.first));
          break;
        case Kind::kBegin:
          if (at == 0) stack.push_back(step + 1);
          break;
        case Kind::kEnd:
          if (at == end) stack.push_back(step + 1);
          break;
      }
    }
    return false;
  }

  internal::RegexProgram program_;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_CORE_REGULAR_EXPRESSION_H_
