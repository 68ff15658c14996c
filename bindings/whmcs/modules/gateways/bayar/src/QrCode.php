<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use BaconQrCode\Common\ErrorCorrectionLevel;
use BaconQrCode\Encoder\Encoder;

/** A QR code as a picture that stands in the page itself: no request, no script, sharp on paper. */
final class QrCode
{
    /** Light modules around the code, as the standard wants them. */
    private const QUIET = 4;

    public static function svg(string $text, string $label): string
    {
        $matrix = Encoder::encode($text, ErrorCorrectionLevel::M(), 'UTF-8')->getMatrix();
        $size = $matrix->getWidth() + 2 * self::QUIET;
        $dark = '';
        for ($y = 0; $y < $matrix->getHeight(); ++$y) {
            for ($x = 0; $x < $matrix->getWidth(); ++$x) {
                if ($matrix->get($x, $y) === 1) {
                    $dark .= 'M' . ($x + self::QUIET) . ' ' . ($y + self::QUIET) . 'h1v1h-1z';
                }
            }
        }
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 $size $size\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"" . Box::escape($label) . '">'
            . "<rect width=\"$size\" height=\"$size\" fill=\"#fff\"/><path d=\"$dark\" fill=\"#000\"/></svg>";
    }
}
