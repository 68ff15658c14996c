<?php

declare(strict_types=1);

namespace Bayar\Tests;

use Bayar\Acknowledgement;
use Bayar\Error;
use Bayar\Instruction;
use Bayar\InstructionKind;
use Bayar\Money;
use Bayar\Outcome;
use Bayar\Status;
use PHPUnit\Framework\TestCase;

/** The values, and that they are those of the engine. */
final class ValuesTest extends TestCase
{
    private const OUTCOME = ['account' => 'a', 'provider' => 'midtrans', 'operation' => 'charge', 'intent' => 'I1', 'status' => 'pending'];

    /** The source of the engine's contract, or the header. */
    private static function repository(string $path): string
    {
        return file_get_contents(dirname(__DIR__, 3) . "/$path");
    }

    public function testMoneyIsWholeRupiah(): void
    {
        $said = array_map(fn(int $amount) => (new Money($amount))->format(), [0, 999, 1000, 150000, 12345678, -2500]);
        $this->assertSame(['Rp0', 'Rp999', 'Rp1.000', 'Rp150.000', 'Rp12.345.678', '-Rp2.500'], $said);
        $this->assertSame('{"amount":150000}', json_encode(['amount' => new Money(150000)]));
        $this->assertTrue((new Money(1))->equals(new Money(1)));
        $this->assertFalse((new Money(1))->equals(new Money(2)));
        $this->assertFalse((new Money(1))->equals(new Money(1, 'USD')));
    }

    public function testAnOutcome(): void
    {
        $document = self::OUTCOME + [
            'order_id' => 'INV-1', 'reference' => 'R1', 'provider_reference' => 'P1', 'tenant' => 't', 'amount' => 150000, 'payable_amount' => 150123,
            'fee' => '4000.50', 'expires_at' => '2026-01-02T10:00:00+07:00', 'evidence' => 'E2', 'review' => null, 'data' => ['x' => 1],
            'delivery' => ['serial' => '1234'], 'instruction' => ['kind' => 'manual_transfer', 'bank' => 'BCA', 'number' => '1', 'holder' => 'Shop'],
        ];
        $outcome = new Outcome($document);
        $this->assertSame(['INV-1', 'R1', 'P1', 't', 150000, 150123, '4000.50'], [$outcome->orderId, $outcome->reference, $outcome->providerReference, $outcome->tenant, $outcome->amount->amount, $outcome->payableAmount->amount, $outcome->fee]);
        $this->assertSame('2026-01-02T03:00:00+00:00', $outcome->expiresAt->setTimezone(new \DateTimeZone('UTC'))->format(DATE_ATOM));
        $this->assertSame($outcome->expiresAt, $outcome->instruction->expiresAt);
        $this->assertSame([['x' => 1], ['serial' => '1234'], 'E2', null], [$outcome->data, $outcome->delivery, $outcome->evidence, $outcome->review]);
        $this->assertSame($document, $outcome->toArray());
        $this->assertSame(['INV-1', true, false, null], [$outcome['order_id'], isset($outcome['order_id']), isset($outcome['nothing']), $outcome['nothing']]);

        $least = new Outcome(self::OUTCOME);
        foreach (['orderId', 'reference', 'tenant', 'amount', 'payableAmount', 'fee', 'instruction', 'expiresAt', 'evidence', 'review', 'data', 'delivery'] as $property) {
            $this->assertNull($least->$property, $property);
        }
    }

    public function testOnlyWhatIsPaidAndNeedsNobodyIsCredited(): void
    {
        foreach (Status::cases() as $status) {
            $outcome = new Outcome(['status' => $status->value] + self::OUTCOME);
            $this->assertSame($status === Status::Paid, $outcome->creditable());
        }
        $this->assertFalse((new Outcome(['status' => 'paid', 'review' => 'the amount differs'] + self::OUTCOME))->creditable());
        $newer = new Outcome(['status' => 'paid_in_gold'] + self::OUTCOME);
        $this->assertSame([Status::Unknown, false, 'paid_in_gold'], [$newer->status, $newer->creditable(), $newer['status']]);
    }

    public function testOutcomesDoNotChange(): void
    {
        $outcome = new Outcome(self::OUTCOME);
        $attempts = [
            function () use ($outcome) { $outcome['status'] = 'paid'; },
            function () use ($outcome) { unset($outcome['status']); },
            function () use ($outcome) { $outcome->status = Status::Paid; },
        ];
        foreach ($attempts as $attempt) {
            try {
                $attempt();
                $this->fail('it was allowed');
            } catch (\LogicException | \Error) {
                $this->assertSame(Status::Pending, $outcome->status);
            }
        }
    }

    public function testStatusesAreThoseOfTheContract(): void
    {
        preg_match('/pub enum Status \{(.*?)\n\}/s', self::repository('engine/contract/src/outcome.rs'), $found);
        preg_match_all('/^    (\w+),$/m', $found[1], $names);
        $this->assertSame($names[1], array_column(Status::cases(), 'name'));
        $snake = array_map(fn(string $name) => strtolower(preg_replace('/(?<!^)[A-Z]/', '_$0', $name)), $names[1]);
        $this->assertSame($snake, array_column(Status::cases(), 'value'));
    }

    /** Every kind and every field of the contract's has its property, and keeps its value. */
    public function testInstructionsAreThoseOfTheContract(): void
    {
        preg_match('/pub enum Instruction \{(.*?)\n\}/s', self::repository('engine/contract/src/outcome.rs'), $found);
        preg_match_all('/^    (\w+)(?: \{(.*?)^    \})?,$/ms', $found[1], $kinds, PREG_SET_ORDER);
        $known = array_diff(array_column(InstructionKind::cases(), 'name'), ['Unknown']);
        $this->assertSame($known, array_column($kinds, 1));
        foreach ($kinds as $kind) {
            preg_match_all('/^        (\w+): (?:Option<)?String/m', $kind[2] ?? '', $fields);
            $value = constant(InstructionKind::class . "::$kind[1]")->value;
            $document = ['kind' => $value] + array_combine($fields[1], array_map(fn(string $field) => "the $field", $fields[1]));
            $instruction = new Instruction($document);
            $this->assertSame($value, $instruction->kind->value);
            $kept = array_diff(array_filter(get_object_vars($instruction), 'is_string'), [$value]);
            $this->assertEqualsCanonicalizing(array_values(array_diff_key($document, ['kind' => 0])), array_values($kept), "a field of $value has no property");
        }
    }

    public function testAnInstructionOfANewerEngine(): void
    {
        $instruction = new Instruction(['kind' => 'telepathy', 'number' => '1']);
        $this->assertSame([InstructionKind::Unknown, null, ['kind' => 'telepathy', 'number' => '1']], [$instruction->kind, $instruction->vaNumber, $instruction->toArray()]);
    }

    public function testNumbersOfErrorsAreThoseOfTheHeader(): void
    {
        preg_match_all('/^  BAYAR_(\w+) = (-\d+),/m', self::repository('include/bayar.ffi.h'), $found, PREG_SET_ORDER);
        $this->assertGreaterThan(30, count($found));
        foreach ($found as [, $name, $number]) {
            $this->assertSame((int) $number, Error::of(['code' => strtolower($name), 'message' => 'm'])->getCode(), $name);
        }
        $this->assertSame(0, Error::of(['code' => 'of the package itself', 'message' => 'm'])->getCode());
    }

    public function testAnErrorSaysWhatToDo(): void
    {
        $error = Error::of(['code' => 'rejected', 'message' => 'the bank is closed', 'advice' => 'Try tomorrow.', 'stage' => 'answered', 'acknowledgement' => ['status' => 503]]);
        $this->assertSame('rejected: the bank is closed. Try tomorrow.', $error->getMessage());
        $this->assertSame([\Bayar\Rejected::class, 'answered', false], [$error::class, $error->stage, $error->retry]);
        $this->assertEquals(new Acknowledgement(503), $error->acknowledgement);
        $this->assertSame($error, $error->answering(new Acknowledgement(401)), 'its own is kept');
        $answering = Error::of(['code' => 'conflict', 'message' => 'm'])->answering(new Acknowledgement(401, 'no', 'text/plain'));
        $this->assertEquals([\Bayar\Conflict::class, -8, new Acknowledgement(401, 'no', 'text/plain')], [$answering::class, $answering->getCode(), $answering->acknowledgement]);
    }

    public function testAnAcknowledgementIsSent(): void
    {
        $program = "require '" . dirname(__DIR__) . "/bayar.php'; (new Bayar\\Acknowledgement(401, '{\"status\":\"no\"}', 'text/x-test'))->send();";
        $place = new Place();
        file_put_contents("$place->path/index.php", "<?php $program");
        $site = new Site($place->path);
        [$status, $page, $headers] = $site->ask('/');
        $site->stop();
        $this->assertSame([401, '{"status":"no"}'], [$status, $page]);
        $this->assertStringContainsString('text/x-test', implode($headers));
    }
}
