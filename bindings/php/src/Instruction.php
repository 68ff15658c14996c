<?php

declare(strict_types=1);

namespace Bayar;

/** What the payer needs in order to pay. Which of these there are, InstructionKind says; the others are null. */
final class Instruction implements \JsonSerializable
{
    /** Where each kind's fields come from in its document. */
    private const FIELDS = [
        'redirect' => ['url' => 'url', 'token' => 'token', 'clientKey' => 'client_key'],
        'virtual_account' => ['bank' => 'bank', 'vaNumber' => 'number', 'billerCode' => 'biller_code', 'name' => 'name'],
        'qr' => ['qrText' => 'text', 'imageUrl' => 'image_url'],
        'deeplink' => ['deeplink' => 'url', 'imageUrl' => 'image_url', 'qrText' => 'text'],
        'retail' => ['store' => 'store', 'shopCode' => 'code'],
        'manual_transfer' => ['bank' => 'bank', 'accountNumber' => 'number', 'holder' => 'holder', 'branch' => 'branch'],
        'cod' => ['awb' => 'awb'],
    ];

    public readonly InstructionKind $kind;
    /** The page to send the payer to. */
    public readonly ?string $url;
    /** The page's token, for a widget in your own page. */
    public readonly ?string $token;
    /** The public key that such a widget needs. */
    public readonly ?string $clientKey;
    /** The bank's short name, lower case: bca. */
    public readonly ?string $bank;
    /** The number to transfer to; for Mandiri the bill key. */
    public readonly ?string $vaNumber;
    /** Mandiri's biller code, which goes with the number. */
    public readonly ?string $billerCode;
    /** The name that the bank shows. */
    public readonly ?string $name;
    /** The text that a QR code is to hold. */
    public readonly ?string $qrText;
    /** A picture of the QR code, at the provider. */
    public readonly ?string $imageUrl;
    /** The link that opens a wallet's application. */
    public readonly ?string $deeplink;
    /** The chain of shops: indomaret. */
    public readonly ?string $store;
    /** The code to tell the cashier. */
    public readonly ?string $shopCode;
    /** The account to transfer to by hand. */
    public readonly ?string $accountNumber;
    /** Its holder. */
    public readonly ?string $holder;
    /** Its branch. */
    public readonly ?string $branch;
    /** The way bill of a delivery that is paid to the courier. */
    public readonly ?string $awb;

    /**
     * @param array<string, mixed> $document as the engine gives it
     * @param ?\DateTimeImmutable $expiresAt until when the payer may pay
     */
    public function __construct(
        #[\SensitiveParameter] private readonly array $document,
        public readonly ?\DateTimeImmutable $expiresAt = null,
    ) {
        $this->kind = InstructionKind::tryFrom($document['kind']) ?? InstructionKind::Unknown;
        $fields = self::FIELDS[$this->kind->value] ?? [];
        foreach (array_merge(...array_values(self::FIELDS)) as $property => $_) {
            $this->$property = isset($fields[$property]) ? $document[$fields[$property]] ?? null : null;
        }
    }

    /** @return array<string, mixed> as the engine gives it */
    public function toArray(): array
    {
        return $this->document;
    }

    public function jsonSerialize(): array
    {
        return $this->document;
    }

    /** Without the numbers and links. */
    public function __debugInfo(): array
    {
        return ['kind' => $this->kind->value];
    }
}
