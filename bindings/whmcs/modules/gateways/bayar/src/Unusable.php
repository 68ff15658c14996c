<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

/** A setting that cannot be used: what was found and what to do. For the shop's people, not for payers. */
final class Unusable extends \RuntimeException {}
