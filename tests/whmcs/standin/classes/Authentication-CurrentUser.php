<?php

namespace WHMCS\Authentication;

class CurrentUser
{
    public function client(): ?\stdClass
    {
        return isset($_SESSION['uid']) ? (object) ['id' => (int) $_SESSION['uid']] : null;
    }

    public function isAuthenticatedAdmin(): bool
    {
        return !empty($_SESSION['adminid']);
    }
}
