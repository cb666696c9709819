#include <vector>

namespace app::queue {

/// Keeps jobs.
template <typename T>
class Queue : public Base {
 public:
  Queue() = default;
  ~Queue();
  /// Takes one.
  T lease(int n) const {
    return jobs_[n];
  }
  bool operator==(const Queue& other) const;
  struct Inner {
    int x;
  };

 private:
  std::vector<T> jobs_;
};

using Jobs = Queue<Job>;

enum class Color { Red };

template <typename T>
Queue<T>::~Queue() {
  clear();
}

std::string Parser::Inner::parse(const std::string& text) {
  auto f = [](int x) {
    return x;
  };
  return text;
}

template <typename T>
concept Small = sizeof(T) < 8;

}  // namespace app::queue

extern "C" {
int c_open(const char* path);
}

TEST(QueueTest, Leases) {
  EXPECT_EQ(1, 1);
}
