/** What can be leased. */
export interface Leased<T> {
  id: number;
  lease(n: number): T;
}

export type Id = string | number;

enum Color {
  Red,
}

declare module "queue" {
  export function open(path: string): void;
}

namespace Inner {
  export abstract class Base {
    private total: number;
    abstract run(): void;
    constructor(private readonly id: Id) {
      this.total = 0;
    }
  }
}

@Component({
  selector: "app",
})
export class App extends Inner.Base {
  @Input() name: string;

  @HostListener("click")
  run(): void {
    return;
  }

  private done = (): void => {
    return;
  };
}

export const useThing = memo(() => {
  return 3;
});
