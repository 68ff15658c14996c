<?php

declare(strict_types=1);

namespace Bayar\Whmcs;

use Bayar\Instruction;
use Bayar\InstructionKind;

/** The payment box on an invoice. Without JavaScript it only lacks the countdown and the copy buttons. */
final class Box
{
    public function __construct(
        private readonly Texts $texts,
        /** Where its forms are posted to. */
        private readonly string $action,
        private readonly Quote $quote,
        private readonly int $now,
    ) {}

    /**
     * The ways to pay.
     *
     * @param non-empty-list<Choice> $choices
     */
    public function choose(array $choices, ?Attempt $last): string
    {
        $note = $last !== null && in_array($last->status, ['failed', 'expired'], true) ? $this->note($last->note ?? $last->status) : '';
        $amount = '<p class="bayar-amount">' . Rupiah::format($this->quote->amount) . '</p>';
        if (count($choices) === 1) {
            // A page of WHMCS's own may send the form without the button: it means the same.
            $only = $this->hidden('do', 'pay ' . $choices[0]->name());
            return $this->frame($choices[0]->label, null, $note . $amount . $this->form($only . $this->button(null, $this->texts->say('pay_now'), 'main')));
        }
        $buttons = implode('', array_map(fn(Choice $choice) => $this->button('pay ' . $choice->name(), $choice->label, 'choice'), $choices));
        return $this->frame($this->texts->say('choose'), null, $note . $amount . $this->form($buttons));
    }

    /** An attempt that is open. */
    public function attempt(Attempt $attempt): string
    {
        if ($attempt->instruction === null) {
            $again = $attempt->status === 'new' ? $this->button('pay ' . (new Choice($attempt->account, $attempt->channel, ''))->name(), $this->texts->say('try_again_button'), 'main') : $this->button('check', $this->texts->say('check'), 'main');
            return $this->frame($attempt->label, null, $this->note($attempt->note ?? 'working') . $this->form($again . $this->change($attempt)));
        }
        $state = $this->texts->say($attempt->status === 'pending' ? 'state_pending' : 'state_checked');
        $differs = $attempt->amount === $this->quote->amount ? '' : $this->note('amount_differs');
        $body = $this->amount($attempt) . $this->instruction($attempt->instruction, $attempt) . $this->expiry($attempt->expiresAt);
        return $this->frame($attempt->label, $state, $differs . $body . $this->form($this->button('check', $this->texts->say('check'), 'second') . $this->change($attempt)));
    }

    /** A sentence in place of the box. */
    public static function sentence(string $sentence): string
    {
        return '<p class="bayar-sentence">' . self::escape($sentence) . '</p>';
    }

    public static function escape(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }

    /** Whether a provider's address may be linked to: its page, or the sandbox on this machine. */
    public static function safe(?string $url): bool
    {
        return $url !== null && preg_match('~^(https://[^\s/]|http://(127\.0\.0\.1|localhost|\[::1\])[:/])~i', $url) === 1;
    }

    private function instruction(Instruction $how, Attempt $attempt): string
    {
        return match ($how->kind) {
            InstructionKind::VirtualAccount => $this->virtualAccount($how),
            InstructionKind::Qr => $this->qr($how) . $this->help('help_qr'),
            InstructionKind::Redirect => $this->link($how->url, 'open_page', self::safe($how->url)),
            InstructionKind::Deeplink => $this->deeplink($how),
            InstructionKind::Retail => $this->copyable($this->texts->say('shop_code', ['store' => ucfirst((string) $how->store)]), (string) $how->shopCode)
                . $this->help('help_retail', ['store' => ucfirst((string) $how->store)]),
            InstructionKind::ManualTransfer => $this->copyable($this->texts->say('account_of', ['bank' => self::bank((string) $how->bank), 'holder' => (string) $how->holder]), (string) $how->accountNumber)
                . $this->help($attempt->payable === null || $attempt->payable === $attempt->amount ? 'help_transfer' : 'help_transfer_exact', ['amount' => Rupiah::format($attempt->payable ?? $attempt->amount)]),
            InstructionKind::Cod => $this->help('help_cod'),
            default => $this->help('help_none'),
        };
    }

    /** A bank's short name as people write it: BCA, CIMB, Mandiri, Artha Graha. */
    private static function bank(string $name): string
    {
        $initials = strlen($name) <= 3 || in_array($name, ['cimb', 'ocbc', 'btpn'], true);

        return $initials ? strtoupper($name) : ucwords(str_replace('_', ' ', $name));
    }

    private function virtualAccount(Instruction $how): string
    {
        $biller = $how->billerCode === null ? '' : $this->copyable($this->texts->say('biller_code'), $how->billerCode);
        $number = $this->copyable($this->texts->say($biller === '' ? 'va_number' : 'bill_key'), (string) $how->vaNumber);
        $name = $how->name === null ? '' : '<p class="bayar-help">' . self::escape($this->texts->say('va_name', ['name' => $how->name])) . '</p>';
        return $biller . $number . $name . $this->help('help_va');
    }

    private function qr(Instruction $how): string
    {
        if ($how->qrText !== null) {
            return '<div class="bayar-qr">' . QrCode::svg($how->qrText, $this->texts->say('qr_label')) . '</div>';
        }
        return self::safe($how->imageUrl) ? '<div class="bayar-qr"><img src="' . self::escape($how->imageUrl) . '" alt="' . self::escape($this->texts->say('qr_label')) . '"></div>' : '';
    }

    private function deeplink(Instruction $how): string
    {
        // A wallet's own scheme, gojek://, or its https address; never one that runs in this page.
        $safe = preg_match('~^(?!javascript|data|vbscript|file)[a-z][a-z0-9+.-]*://~i', (string) $how->deeplink) === 1;
        $qr = $this->qr($how);
        return $qr . $this->link($how->deeplink, 'open_app', $safe) . $this->help($qr === '' ? 'help_app' : 'help_app_qr');
    }

    private function link(?string $url, string $text, bool $safe): string
    {
        return $safe ? '<p><a class="bayar-button bayar-main" href="' . self::escape((string) $url) . '">' . self::escape($this->texts->say($text)) . '</a></p>' : $this->help('help_none');
    }

    private function amount(Attempt $attempt): string
    {
        $amount = $attempt->payable ?? $attempt->amount;
        $typed = in_array($attempt->instruction?->kind, [InstructionKind::VirtualAccount, InstructionKind::ManualTransfer], true);
        $shown = '<span class="bayar-amount">' . Rupiah::format($amount) . '</span>';
        return $this->field($this->texts->say('amount'), $shown . ($typed ? $this->copy($this->texts->say('amount'), (string) $amount) : ''));
    }

    /** A number with a button that copies it; grouped for the eye where it is only digits. */
    private function copyable(string $label, string $value): string
    {
        $shown = ctype_digit($value) ? trim(chunk_split($value, 4, ' ')) : $value;
        return $this->field($label, '<span class="bayar-number">' . self::escape($shown) . '</span>' . $this->copy($label, $value));
    }

    private function copy(string $label, string $value): string
    {
        $named = self::escape($this->texts->say('copy_what', ['what' => $label]));
        return "<button type=\"button\" class=\"bayar-copy\" hidden aria-label=\"$named\" data-copy=\"" . self::escape($value) . '" data-copied="'
            . self::escape($this->texts->say('copied')) . '">' . self::escape($this->texts->say('copy')) . '</button>';
    }

    private function field(string $label, string $line): string
    {
        return '<div class="bayar-field"><span class="bayar-label">' . self::escape($label) . "</span><span class=\"bayar-line\">$line</span></div>";
    }

    private function expiry(?int $until): string
    {
        if ($until === null) {
            return '';
        }
        $over = self::escape($this->texts->say('time_is_over'));
        $clock = "<span class=\"bayar-left\" data-until=\"$until\" data-over=\"$over\" role=\"timer\" hidden></span>";
        return '<div class="bayar-expiry">' . $this->field($this->texts->say('pay_before'), '<span>' . self::escape($this->texts->moment($until)) . "</span>$clock") . '</div>';
    }

    private function help(string $name, array $with = []): string
    {
        return '<p class="bayar-help">' . self::escape($this->texts->say($name, $with)) . '</p>';
    }

    private function note(string $name): string
    {
        return '<p class="bayar-note" role="status">' . self::escape($this->texts->say("note_$name")) . '</p>';
    }

    private function change(Attempt $attempt): string
    {
        return Withdrawal::possible($attempt, $this->now) ? $this->button('change', $this->texts->say('change'), 'quiet') : '';
    }

    private function button(?string $do, string $text, string $look): string
    {
        $name = $do === null ? '' : ' name="do" value="' . self::escape($do) . '"';
        return "<button type=\"submit\" class=\"bayar-button bayar-$look\"$name>" . self::escape($text) . '</button>';
    }

    private function hidden(string $name, string $value): string
    {
        return "<input type=\"hidden\" name=\"$name\" value=\"" . self::escape($value) . '">';
    }

    private function form(string $content): string
    {
        return '<form method="post" action="' . self::escape($this->action) . '">' . $this->hidden('quote', $this->quote->sign()) . $content . '</form>';
    }

    private function frame(string $title, ?string $state, string $body): string
    {
        $badge = $state === null ? '' : '<span class="bayar-state">' . self::escape($state) . '</span>';
        $views = dirname(__DIR__) . '/views';
        return '<style>' . file_get_contents("$views/box.css") . '</style><section class="bayar" lang="' . $this->texts->locale . '">'
            . '<header class="bayar-head"><h3 class="bayar-title">' . self::escape($title) . "</h3>$badge</header>$body</section>"
            . '<script>' . file_get_contents("$views/box.js") . '</script>';
    }
}
