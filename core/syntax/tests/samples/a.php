<?php

namespace App;

const LONGEST = 60;

/** Keeps jobs. */
final class Queue extends Base
{
    public const SIZE = 3;
    private int $count = 0;

    /** Takes one. */
    #[Pure]
    public function lease(int $n): ?Job
    {
        return null;
    }
}

interface Leaser
{
    public function lease(int $n);
}

trait Counts
{
    public function count(): int
    {
        return 0;
    }
}

function open(string $path): Queue
{
    return new Queue();
}
