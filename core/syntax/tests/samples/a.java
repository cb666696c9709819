package app;

import java.util.List;

/**
 * Keeps jobs.
 */
@Service
public class Queue<T> extends Base implements Leaser {
  public static final int LONGEST = 60;
  private int count;

  public Queue(int n) {
    this.count = n;
  }

  /** Takes one. */
  @Override
  public T lease(int n) {
    return null;
  }

  static class Node {
    int value;
    int get() { return value; }
  }

  enum Color {
    RED, GREEN;
    Color next() {
      return RED;
    }
  }

  @Test
  void leases() {
    run();
  }
}

interface Leaser {
  Object lease(int n);
}

record Point(int x, int y) {}
